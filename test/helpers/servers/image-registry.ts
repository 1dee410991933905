/** Real registries of container images (the `docker-registry` of Debian), on loopback. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../repositories/repo.ts';
import { makeCertificate } from './certificate.ts';
import { freePort, type Server, startServer } from './server.ts';

const HOST = '127.0.0.1';

export const hasRegistry = spawnSync('docker-registry', ['--version']).status === 0;
/** For the names of tests that are skipped. */
export const needsRegistry = hasRegistry ? '' : ' (skipped: docker-registry is not installed)';

export interface ImageRegistry extends Server {
  /** `127.0.0.1:PORT`, as images name it. */
  readonly host: string;
  /** PEM file of the authority that signed its certificate. */
  readonly authority: string;
}

/** `htpasswd`: a line of the file of who may log in (bcrypt). `tls`: it speaks nothing else, with a certificate of an authority of its own. */
export async function startRegistry(
  options: { htpasswd?: string; tls?: boolean; folder?: string } = {},
): Promise<ImageRegistry> {
  const [folder, port] = [options.folder ?? (await temporaryFolder()), await freePort()];
  const file = (name: string) => join(folder, name);
  const http: Record<string, unknown> = { addr: `${HOST}:${port}`, secret: 'of-a-test' };
  if (options.tls) {
    makeCertificate(folder);
    http['tls'] = { certificate: file('server.crt'), key: file('server.key') };
  }
  if (options.htpasswd !== undefined) await writeFile(file('htpasswd'), `${options.htpasswd}\n`);
  const auth =
    options.htpasswd === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: file('htpasswd') } } };
  const config = {
    version: 0.1,
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: file('data') } },
    http,
    ...auth,
  };
  // YAML has JSON within it.
  await writeFile(file('config.yml'), JSON.stringify(config));
  const server = await startServer({
    program: 'docker-registry',
    args: ['serve', file('config.yml')],
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, OTEL_TRACES_EXPORTER: 'none' },
    port,
  });
  return { ...server, host: `${HOST}:${port}`, authority: file('ca.crt') };
}

/** Pushes an image without layers, and an index of it under `TAG-index`; gives the digest of the image. */
export async function pushImage(
  host: string,
  name: string,
  tag: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [] },
  });
  const blob = digestOf(config);
  const begin = await put(`http://${host}/v2/${name}/blobs/uploads/`, 'POST', headers);
  const place = new URL(begin.headers.get('location') ?? '', `http://${host}`);
  place.searchParams.set('digest', blob);
  await put(place.href, 'PUT', { ...headers, 'content-type': 'application/octet-stream' }, config);
  const oci = 'application/vnd.oci.image';
  const size = Buffer.byteLength(config);
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: { mediaType: `${oci}.config.v1+json`, digest: blob, size },
    layers: [],
  });
  const digest = digestOf(manifest);
  const at = (reference: string) => `http://${host}/v2/${name}/manifests/${reference}`;
  await put(at(tag), 'PUT', { ...headers, 'content-type': `${oci}.manifest.v1+json` }, manifest);
  const entry = {
    mediaType: `${oci}.manifest.v1+json`,
    digest,
    size: Buffer.byteLength(manifest),
    platform: { architecture: 'amd64', os: 'linux' },
  };
  const index = JSON.stringify({ schemaVersion: 2, mediaType: `${oci}.index.v1+json`, manifests: [entry] });
  await put(at(`${tag}-index`), 'PUT', { ...headers, 'content-type': `${oci}.index.v1+json` }, index);
  return digest;
}

const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

async function put(url: string, method: string, headers: Readonly<Record<string, string>>, body?: string) {
  const response = await fetch(url, { method, headers: { ...headers }, ...(body !== undefined && { body }) });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
  return response;
}
