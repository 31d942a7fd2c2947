export interface Greeting {
  body: string;
  language: string;
}

const TIMEOUT_MS = 5_000;

/** The API, reached over its service name. */
export class Api {
  constructor(private readonly url: string) {}

  async greeting(): Promise<Greeting> {
    const response = await this.get("/greeting");
    if (!response.ok) throw new Error(`the API answered ${response.status}`);
    return (await response.json()) as Greeting;
  }

  // Asked once more if the connection broke: a kept-alive one may close just as it is used, when the API
  // is being replaced. Safe, because a GET changes nothing.
  private async get(path: string): Promise<Response> {
    const ask = () => fetch(this.url + path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return ask().catch(ask);
  }
}
