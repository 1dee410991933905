/** Credentials as the Docker command line keeps them (docs.docker.com, "docker login": configuration file and credential helpers). */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { run } from '../git/process/spawn.ts';

export type Credentials =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string };

const entry = z.object({ auth: z.string().optional(), identitytoken: z.string().optional() });
const schema = z.object({
  auths: z.record(z.string(), entry).default({}),
  credHelpers: z.record(z.string(), z.string()).default({}),
  credsStore: z.string().optional(),
});
const helperSchema = z.object({ Username: z.string(), Secret: z.string() });

const HELPER = /^[A-Za-z0-9._-]{1,64}$/;
const HELPER_MS = 5000;
const OUTPUT_BYTES = 64 * 1024;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What the file says of a registry (`docker.io` is `https://index.docker.io/v1/` there); null where it says nothing.
 *
 * @throws Error with a sentence that holds no secret, where the file or its helper cannot be read
 */
export async function readCredentials(env: Environment, registry: string): Promise<Credentials | null> {
  const config = await readConfig(env);
  if (config === null) return null;
  const names =
    registry === 'docker.io' ? HUB_NAMES : [registry, `https://${registry}`, `http://${registry}`];
  const helper = own(config.credHelpers, names) ?? config.credsStore;
  if (helper !== undefined && helper !== '') {
    const found = await askHelper(env, helper, registry === 'docker.io' ? HUB_NAMES[0] : registry);
    if (found !== null) return found;
  }
  const found = own(config.auths, [
    ...names,
    ...names.flatMap((name) => [`${name}/v1/`, `${name}/v2/`, `${name}/`]),
  ]);
  if (found?.identitytoken) return { identityToken: found.identitytoken };
  return found?.auth ? parseBasic(found.auth) : null;
}

const HUB_NAMES = ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io'] as const;

function own<Value>(record: Readonly<Record<string, Value>>, names: readonly string[]): Value | undefined {
  const name = names.find((each) => Object.hasOwn(record, each));
  return name === undefined ? undefined : record[name];
}

async function readConfig(env: Environment): Promise<z.infer<typeof schema> | null> {
  const folder = env['DOCKER_CONFIG'] || join(env['HOME'] || homedir(), '.docker');
  let text: string;
  try {
    text = await readFile(join(folder, 'config.json'), 'utf8');
  } catch {
    return null;
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new Error("Docker's configuration file cannot be read");
  }
}

/** `docker-credential-NAME get`: the registry on standard input, JSON on standard output. */
async function askHelper(env: Environment, helper: string, registry: string): Promise<Credentials | null> {
  if (!HELPER.test(helper)) throw new Error("Docker's configuration file names a helper that is none");
  const program = `docker-credential-${helper}`;
  const nothing = new Error(`${program} gives no credentials`);
  const { code, stdout } = await run({
    program,
    args: ['get'],
    cwd: homedir(),
    env: Object.fromEntries(
      Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
    input: `${registry}\n`,
    timeoutMs: HELPER_MS,
    maxBytes: OUTPUT_BYTES,
    okCodes: [0, 1],
  }).catch(() => {
    throw nothing;
  });
  const text = stdout.toString('utf8');
  if (code === 1 && /credentials not found/i.test(text)) return null;
  try {
    const { Username, Secret } = helperSchema.parse(JSON.parse(text));
    return Username === '<token>' ? { identityToken: Secret } : { username: Username, password: Secret };
  } catch {
    throw nothing;
  }
}

function parseBasic(auth: string): Credentials | null {
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon > 0 ? { username: text.slice(0, colon), password: text.slice(colon + 1) } : null;
}
