/** An image as manifests name it, split. */
export interface ImageReference {
  /** Lower case, with the port: `docker.io`, `registry.example.com:5000`. */
  readonly registry: string;
  /** `library/nginx`, `acme/api`. */
  readonly name: string;
  /** `latest` where neither a tag nor a digest is written. */
  readonly tag: string | null;
  readonly digest: string | null;
}

const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const HOST =
  /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,128}$/;
const LONGEST = 512;

/**
 * Reads an image by the grammar of github.com/distribution/reference, with Docker's rules for short names: without a host it is of
 * `docker.io`, where a name of one part is in `library/`. null for whatever is no image.
 */
export function parseImage(text: string): ImageReference | null {
  if (text.length === 0 || text.length > LONGEST) return null;
  const [rest = '', digest = null, ...more] = text.split('@');
  if (more.length > 0 || (digest !== null && !DIGEST.test(digest))) return null;
  const colon = rest.lastIndexOf(':');
  const hasTag = colon > rest.lastIndexOf('/');
  const path = hasTag ? rest.slice(0, colon) : rest;
  const tag = hasTag ? rest.slice(colon + 1) : null;
  if (tag !== null && !TAG.test(tag)) return null;
  const [first = '', ...others] = path.split('/');
  const isHost = others.length > 0 && (/[.:[]/.test(first) || first === 'localhost');
  if (isHost && !HOST.test(first)) return null;
  const registry = isHost ? hubOf(first.toLowerCase()) : 'docker.io';
  const parts = isHost ? others : [first, ...others];
  if (!parts.every((part) => COMPONENT.test(part))) return null;
  const name = registry === 'docker.io' && parts.length === 1 ? `library/${parts[0]}` : parts.join('/');
  return { registry, name, tag: tag ?? (digest === null ? 'latest' : null), digest };
}

/** The names of Docker Hub are one. */
export const hubOf = (host: string) => (host === 'index.docker.io' ? 'docker.io' : host);
