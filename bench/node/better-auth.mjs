// Better Auth's getSession with the session cookie, in its default configuration.
import { betterAuth } from "better-auth";
import { admin } from "better-auth/plugins";
import pg from "pg";
import { serve } from "./serve.mjs";

const { BENCH_SECRET, BENCH_ISSUER, PGHOST, PGUSER, PGDATABASE } = process.env;
const auth = betterAuth({
  baseURL: BENCH_ISSUER,
  secret: BENCH_SECRET,
  database: new pg.Pool({ host: PGHOST, user: PGUSER, database: PGDATABASE, max: 8 }),
  telemetry: { enabled: false },
  emailAndPassword: { enabled: true },
  plugins: [admin()],
});

serve(async (request) => {
  const headers = new Headers({ cookie: request.headers.cookie ?? "" });
  return (await auth.api.getSession({ headers })) !== null;
});
