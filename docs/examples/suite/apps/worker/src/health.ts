// The health check of docker-compose.yml: exits 0 while the worker does its work.
import { isAlive } from "./alive.js";

const alive = await isAlive().catch(() => false);
process.exit(alive ? 0 : 1);
