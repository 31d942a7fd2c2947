export { connect, ping, type Database } from "./database.js";
export { readGreeting, type Greeting } from "./greetings.js";
export { recordHeartbeat } from "./heartbeats.js";
