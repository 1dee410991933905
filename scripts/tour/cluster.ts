/**
 * The cluster of a tour: `cluster.ts REPOSITORY --bad TAG --folder FOLDER`. It prints the path of its kubeconfig file, and then plays what reconciles: it applies what
 * `main` of the repository delivers, and lets controllers act. A Deployment with an image of the bad tag crashes. On standard input:
 * `away`, `back`, `scale NAMESPACE/NAME REPLICAS` (by hand), each answered by `ok`. It ends with its standard input.
 */
import { execFile } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { type Cluster, startCluster } from '../../test/helpers/cluster/cluster.ts';
import { deploy, rollout } from '../../test/helpers/cluster/objects/rollout.ts';

const EVERY_MS = 200;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { bad: { type: 'string', default: '' }, folder: { type: 'string', default: '.' } },
});
const [repo = '.'] = positionals;

const objectShape = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string() }),
});
type Declared = z.infer<typeof objectShape>;

const git = async (...args: string[]) =>
  (await promisify(execFile)('git', args, { cwd: repo, maxBuffer: 1e8 })).stdout;

const cluster = await startCluster({ name: 'prod-eu', folder: values.folder });
process.stdout.write(`${cluster.kubeconfig}\n`);
const over = new AbortController();
let end: (() => void) | null = null;
const reconciled = reconcile(cluster);

for await (const line of createInterface(process.stdin)) process.stdout.write(`${obey(line)}\n`);
over.abort();
await reconciled;
await cluster.stop();
process.exit(0);

function obey(line: string): string {
  const [verb, name = '', count = ''] = line.split(' ');
  if (verb === 'away') end = cluster.fault({ answer: 'error', everything: true });
  else if (verb === 'back') end?.();
  else if (verb === 'scale') scale(name, Number(count));
  else return `not known: ${line}`;
  return 'ok';
}

function scale(path: string, replicas: number): void {
  const [namespace = '', name = ''] = path.split('/');
  const ref = { kind: 'Deployment', namespace, name };
  cluster.patch(ref, { spec: { replicas } });
  rollout(cluster, ref, { to: 'live' });
}

/** What is applied stays as it is, whatever somebody edits, until something else is delivered. */
async function reconcile(own: Cluster): Promise<void> {
  const applied = new Map<string, string>();
  while (!over.signal.aborted) {
    for (const object of await delivered().catch(() => [])) {
      const key = `${object.kind} ${object.metadata.namespace}/${object.metadata.name}`;
      const text = JSON.stringify(object);
      if (applied.get(key) === text) continue;
      applied.set(key, text);
      deploy(own, object, values.bad !== '' && text.includes(`:${values.bad}"`) ? 'crash' : 'live');
    }
    await sleep(EVERY_MS);
  }
}

async function delivered(): Promise<Declared[]> {
  const paths = (await git('ls-tree', '-r', '--name-only', 'main', 'delivery/')).split('\n').filter(Boolean);
  const texts = await Promise.all(paths.map((path) => git('show', `main:${path}`)));
  return texts.flatMap((text) =>
    parseAllDocuments(text).flatMap((document) => objectShape.safeParse(document.toJS()).data ?? []),
  );
}
