// Shared by both Node servers: the response, the address on standard output, and the exit when
// standard input closes.
import { createServer } from "node:http";

export function serve(authenticate) {
  const body = '{"data":[],"has_more":false}';
  const server = createServer(async (request, response) => {
    try {
      for await (const _ of request);
      const status = (await authenticate(request)) ? 200 : 401;
      response.writeHead(status, { "content-type": "application/json", "content-length": body.length }).end(body);
    } catch (error) {
      console.error(error);
      response.writeHead(503, { "content-length": 0 }).end();
    }
  });
  server.listen(0, "127.0.0.1", () => console.log(`listening 127.0.0.1:${server.address().port}`));
  process.stdin.resume().on("end", () => process.exit(0));
}
