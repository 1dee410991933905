/** `npm run proof -- host`: the scenes of pull requests on a real repository, one after the other, as a table. */
import { isFailure } from '../../../engine/model/index.ts';
import { messageOf, openPlace, type Place, type Repository } from './place.ts';
import { type Scene, SCENES, Skipped } from './scenes.ts';

export const HOST_HELP = `npm run proof -- host --host-file FILE --repository URL [--only SCENE,…]

--host-file   the hosts, as BACKTRAIL_HOSTS names them: \`github.com: { token: FILE }\`; BACKTRAIL_HOSTS where absent
--repository  as git fetches from it and pushes to it; BACKTRAIL_PROOF_REPOSITORY where absent
--only        of these: ${SCENES.map(({ name }) => name).join(', ')}
`;

const MISSING =
  'Give the file that lists the host and its token (--host-file FILE, or BACKTRAIL_HOSTS) and a repository to try it on (--repository URL, or BACKTRAIL_PROOF_REPOSITORY).';

export interface HostProofOptions {
  readonly 'host-file'?: string | undefined;
  readonly repository?: string | undefined;
  readonly only?: string | undefined;
}

interface Played {
  readonly name: string;
  readonly result: 'passed' | 'failed' | 'skipped';
  readonly seconds: number;
  /** What is wrong, or why it was not played. */
  readonly why: string;
}

/** The exit code: 0 where all that were played have passed and nothing is left behind, 2 where something has to be given first. */
export async function proveHost(
  options: HostProofOptions,
  say: (line: string) => void,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<number> {
  const hostsFile = options['host-file'] ?? environment['BACKTRAIL_HOSTS'] ?? '';
  const address = options.repository ?? environment['BACKTRAIL_PROOF_REPOSITORY'] ?? '';
  if (hostsFile === '' || address === '') {
    say(MISSING);
    return 2;
  }
  const names = options.only?.split(',') ?? SCENES.map(({ name }) => name);
  const unknown = names.filter((name) => !SCENES.some((scene) => scene.name === name));
  if (unknown.length > 0) {
    say(`There is no scene ${unknown.join(', ')}: ${SCENES.map(({ name }) => name).join(', ')}.`);
    return 2;
  }
  const chosen = SCENES.filter(({ name }) => names.includes(name));
  return play({ hostsFile, address }, chosen, say);
}

async function play(
  repository: Repository,
  scenes: readonly Scene[],
  say: (line: string) => void,
): Promise<number> {
  const place = await openPlace(
    repository,
    scenes.flatMap(({ scopes }) => scopes),
  ).catch((error: unknown) => error);
  if (!isPlace(place)) {
    say(`Nothing could be begun: ${messageOf(place)}`);
    const isUsage = isFailure(place) && USAGE.has(place.code);
    return isUsage ? 2 : 1;
  }
  const { host, branch } = place;
  say(`${host.repository} on ${host.name} (${host.kind}), the branch ${branch}\n`);
  const played: Played[] = [];
  let isStopped = false;
  const stop = () => void (isStopped = true);
  process.once('SIGINT', stop);
  try {
    for (const scene of scenes) {
      const one = isStopped ? skipped(scene, 'The run was stopped.') : await playOne(scene, place);
      played.push(one);
      say(lineOf(one));
    }
  } finally {
    process.off('SIGINT', stop);
    const left = await place.end();
    for (const each of left) say(each);
    if (left.length > 0) played.push({ name: 'the end', result: 'failed', seconds: 0, why: '' });
  }
  const countOf = (result: Played['result']) => played.filter((one) => one.result === result).length;
  const [passed, failed, other] = [countOf('passed'), countOf('failed'), countOf('skipped')];
  say(`\n${passed} passed, ${failed} failed, ${other} skipped.`);
  return failed > 0 || passed === 0 || isStopped ? 1 : 0;
}

const isPlace = (value: unknown): value is Place =>
  typeof value === 'object' && value !== null && 'end' in value && 'host' in value;

/** The operator's file, or the address, is not as it should be. */
const USAGE: ReadonlySet<string> = new Set(['HOST_NOT_ALLOWED', 'INVALID_REQUEST', 'HOST_DENIED']);

async function playOne(scene: Scene, place: Place): Promise<Played> {
  const began = Date.now();
  const { name } = scene;
  const seconds = () => (Date.now() - began) / 1000;
  try {
    await scene.play(place);
    return { name, result: 'passed', seconds: seconds(), why: '' };
  } catch (error) {
    if (error instanceof Skipped) return skipped(scene, error.message);
    const code = isFailure(error) ? `${error.code}: ` : '';
    return { name, result: 'failed', seconds: seconds(), why: `${code}${messageOf(error)}` };
  }
}

const skipped = ({ name }: Scene, why: string): Played => ({ name, result: 'skipped', seconds: 0, why });

const lineOf = ({ name, result, seconds, why }: Played) =>
  `${name.padEnd(10)} ${result.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s  ${why}`.trimEnd();
