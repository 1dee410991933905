/** A registry of container images that has these: `registry.ts acme/api:v1 …`; prints `127.0.0.1:PORT`. For the tour alone, where no other is installed. */
import { createServer } from 'node:http';

const images = new Set(process.argv.slice(2));

const server = createServer((request, response) => {
  const [, name, tag] = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(request.url ?? '') ?? [];
  response.statusCode = images.has(`${name}:${tag}`) ? 200 : 404;
  response.end();
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address !== 'string') process.stdout.write(`127.0.0.1:${address.port}\n`);
});
