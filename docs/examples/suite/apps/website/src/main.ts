import { optional, required, serve, termination } from "@suite/service";
import { Api } from "./api.js";
import { routes } from "./routes.js";
import { Visits } from "./visits.js";

const stop = termination();

await serve(
  3000,
  routes({
    title: optional("SITE_TITLE", "Suite"),
    // Set by the deployment from the image this container runs; an image cannot know the hash of its own inputs.
    imageTag: optional("IKOMA_IMAGE_TAG", "dev"),
    api: new Api(optional("API_URL", "http://api:4000")),
    visits: new Visits(required("SESSION_SECRET")),
  }),
  stop,
);
