import { connect } from "@suite/db";
import { required, serve, termination } from "@suite/service";
import { routes } from "./routes.js";

const stop = termination();
const database = connect(required("DATABASE_URL"), "api");

await serve(4000, routes(database), stop);
await database.end();
