/** `npm run proof -- cluster`: what observers say of a real cluster that may be thrown away. */
import { existsSync } from 'node:fs';
import { openPlace } from './place.ts';
import { SCENES } from './scenes.ts';

export const CLUSTER_HELP = `KUBECONFIG=FILE npm run proof -- cluster [--only SCENE,…]

KUBECONFIG  one file, whose current context is a cluster that may be thrown away (kind, k3d): a namespace is made there and deleted
--only      of these: ${SCENES.map(({ name }) => name).join(', ')}
`;

/** The exit code: 0 where all that were played have passed, 2 where something has to be given first. */
export async function proveCluster(
  only: string | undefined,
  say: (line: string) => void,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<number> {
  const kubeconfig = environment['KUBECONFIG'] ?? '';
  const names = only?.split(',') ?? SCENES.map(({ name }) => name);
  const unknown = names.filter((name) => !SCENES.some((scene) => scene.name === name));
  if (kubeconfig === '' || !existsSync(kubeconfig) || unknown.length > 0) {
    say(unknown.length > 0 ? `There is no scene ${unknown.join(', ')}.` : CLUSTER_HELP);
    return 2;
  }
  const place = await openPlace(kubeconfig).catch((error: unknown) => messageOf(error));
  if (typeof place === 'string') {
    say(`The cluster cannot be used: ${place}`);
    return 2;
  }
  let failures = 0;
  try {
    for (const { name, play } of SCENES.filter((scene) => names.includes(scene.name))) {
      const start = Date.now();
      const why = await play(place).then(() => null, messageOf);
      if (why !== null) failures += 1;
      say(
        `${why === null ? 'passed' : 'failed'}  ${name}  ${Math.round((Date.now() - start) / 1000)} s  ${why ?? ''}`,
      );
    }
  } finally {
    await place.end();
  }
  return failures === 0 ? 0 : 1;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
