// jose and pg, a hand-written service: verify the token, then one prepared query for user and session.
import { jwtVerify } from "jose";
import pg from "pg";
import { serve } from "./serve.mjs";

const { BENCH_SECRET, BENCH_ISSUER, PGHOST, PGUSER, PGDATABASE } = process.env;
const secret = new TextEncoder().encode(BENCH_SECRET);
const pool = new pg.Pool({ host: PGHOST, user: PGUSER, database: PGDATABASE, max: 8 });
const text = `SELECT u."id", u."email", u."name", u."role", u."banned", s."id" AS "sessionId", s."expiresAt"
  FROM "user" u LEFT JOIN LATERAL (
    SELECT "id", "expiresAt" FROM "session" WHERE "userId" = u."id" AND "expiresAt" > now()
    ORDER BY "expiresAt" DESC LIMIT 1) s ON true
  WHERE u."email" = $1`;

serve(async (request) => {
  const token = request.headers.authorization?.match(/^Bearer (.+)$/)?.[1];
  if (!token) return false;
  const { payload } = await jwtVerify(token, secret, {
    algorithms: ["HS256"],
    issuer: BENCH_ISSUER,
    audience: BENCH_ISSUER,
  });
  const { rows } = await pool.query({ name: "identity", text, values: [payload.email] });
  return rows.length === 1 && rows[0].sessionId !== null && !rows[0].banned;
});
