// A real Better Auth on 127.0.0.1, for the live interoperability test.
//
// Prints one line of JSON with its address when it is ready, and ends with its standard input. Besides Better Auth's own
// routes it has a few under /__control for what an operator does by other means than HTTP.
import { createServer } from "node:http";
import { apiKey } from "@better-auth/api-key";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { admin, bearer, jwt, organization } from "better-auth/plugins";
import { Kysely, SqliteDialect } from "kysely";
import Database from "libsql";
import pg from "pg";

const { DATABASE_URL, SECRET, JWKS_ALG = "EdDSA", COOKIE_CACHE } = process.env;

function database() {
  const path = DATABASE_URL.match(/^sqlite:(.*)$/)?.[1];
  if (path === undefined) return new pg.Pool({ connectionString: DATABASE_URL });
  const sqlite = new Database(path);
  return { db: new Kysely({ dialect: new SqliteDialect({ database: sqlite }) }), type: "sqlite" };
}

const server = createServer();
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const baseURL = `http://localhost:${server.address().port}`;
const mails = [];
const store = database();

const auth = betterAuth({
  baseURL,
  secret: SECRET,
  database: store,
  telemetry: { enabled: false },
  rateLimit: { enabled: false },
  emailAndPassword: { enabled: true },
  emailVerification: {
    sendVerificationEmail: async ({ user, token }) => void mails.push({ to: user.email, token }),
  },
  user: { changeEmail: { enabled: true } },
  session: COOKIE_CACHE ? { cookieCache: { enabled: true, strategy: COOKIE_CACHE } } : {},
  plugins: [
    jwt({ jwks: { keyPairConfig: { alg: JWKS_ALG } } }),
    bearer(),
    admin(),
    organization(),
    apiKey(),
  ],
});

const { runMigrations } = await getMigrations(auth.options);
await runMigrations();
const context = await auth.$context;

const control = {
  // Signs with a new key from now on, as at the end of a rotation interval.
  "/__control/rotate": async () => {
    const keys = await context.adapter.findMany({ model: "jwks" });
    const expiresAt = new Date(Date.now() - 1000);
    for (const { id } of keys) {
      await context.adapter.update({ model: "jwks", where: [{ field: "id", value: id }], update: { expiresAt } });
    }
    return { keys: keys.length };
  },
  "/__control/promote": async ({ userId }) => {
    await context.internalAdapter.updateUser(userId, { role: "admin" });
    return {};
  },
  // A flag in the database, by whoever has a console there; the session stays.
  "/__control/ban-by-hand": async ({ userId, banned }) => {
    await context.internalAdapter.updateUser(userId, { banned });
    return {};
  },
  "/__control/mails": async () => mails,
};

const betterAuthHandler = toNodeHandler(auth);
server.on("request", async (request, response) => {
  const handler = control[request.url];
  if (!handler) return betterAuthHandler(request, response);
  let body = "";
  for await (const chunk of request) body += chunk;
  try {
    const answer = await handler(body ? JSON.parse(body) : {});
    response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
  } catch (error) {
    response.writeHead(500).end(String(error?.stack ?? error));
  }
});

process.stdin.resume().on("end", () => process.exit(0));
console.log(JSON.stringify({ baseURL }));
