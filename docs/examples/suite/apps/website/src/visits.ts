import { createHmac, timingSafeEqual } from "node:crypto";

const COOKIE = /(?:^|;\s*)visits=(\d{1,9})\.([0-9a-f]{64})(?:;|$)/;

/** Counts a visitor's visits in a cookie that only this site can write, for it is signed with `secret`. */
export class Visits {
  constructor(private readonly secret: string) {}

  /** Takes the request's Cookie header; returns the visits before this one, 0 for a stranger or a forged cookie. */
  read(cookies = ""): number {
    const [, count = "", signature = ""] = COOKIE.exec(cookies) ?? [];
    if (!signature) return 0;
    const genuine = timingSafeEqual(Buffer.from(signature, "hex"), this.sign(count));
    return genuine ? Number(count) : 0;
  }

  /** Returns the Set-Cookie header that says `count` visits. */
  write(count: number): string {
    return `visits=${count}.${this.sign(String(count)).toString("hex")}; Path=/; HttpOnly; SameSite=Lax`;
  }

  private sign(count: string): Buffer {
    return createHmac("sha256", this.secret).update(count).digest();
  }
}
