import type { IncomingMessage } from "node:http";
import { html as reply, json, type Reply, type Routes } from "@suite/service";
import { html, page } from "@suite/ui";
import type { Api } from "./api.js";
import type { Visits } from "./visits.js";

export interface Site {
  title: string;
  imageTag: string;
  api: Api;
  visits: Visits;
}

export function routes(site: Site): Routes {
  return {
    "/": (request) => home(site, request),
    // Says whether this container works, not whether the API does: restarting the website mends no API.
    "/health": () => json({ status: "ok", image: site.imageTag }),
    "/version": () => json({ service: "website", image: site.imageTag }),
  };
}

async function home(site: Site, request: IncomingMessage): Promise<Reply> {
  const footer = html`Image <code>${site.imageTag}</code>`;
  try {
    const greeting = await site.api.greeting();
    const visit = site.visits.read(request.headers.cookie) + 1;
    const main = html`<p lang="${greeting.language}">${greeting.body}</p>
<p>This is your visit number ${visit}.</p>`;
    return reply(page({ title: site.title, main, footer }), 200, { "set-cookie": site.visits.write(visit) });
  } catch (error) {
    console.error("no greeting:", error);
    const main = html`<p>The greeting cannot be read at the moment.</p>`;
    return reply(page({ title: site.title, main, footer }), 503);
  }
}
