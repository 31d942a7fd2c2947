/** The value of an environment variable the service cannot run without. */
export function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; see app.env.example`);
  return value;
}

export function optional(name: string, fallback: string): string {
  return process.env[name] || fallback;
}
