/** What every command works with: the options before it, the environment, and the repository. */
import { readFile } from 'node:fs/promises';
import {
  BacktrailError,
  type ConfigText,
  type Engine,
  type Notice,
  openEngine,
  type Person,
} from '../engine/index.ts';
import { engineOptionsOf } from './engine-options.ts';
import type { Environment } from './environment.ts';
import { stoppable } from './terminal/interrupt.ts';
import { type Format, printProgress } from './terminal/output.ts';
import { progressLine, progressNotes } from './terminal/progress.ts';

export interface GlobalOptions {
  readonly repo?: string;
  readonly server?: string;
  readonly tokenFile?: string;
  readonly config?: string;
  readonly output: Format;
  /** Differences of added and removed files in full. */
  readonly full?: boolean;
  /** Of differences only how large they are. */
  readonly stat?: boolean;
  /** `--no-pager` makes it false. */
  readonly pager: boolean;
}

export interface SessionHow {
  /** `--sign` of a command that makes commits. */
  readonly sign?: boolean | undefined;
  /** Told of each answer that is not that of now, besides what people are shown. */
  readonly onOffline?: (notice: Notice) => void;
}

export interface Session {
  readonly environment: Environment;
  readonly format: Format;
  readonly repo: string;
  /** A server is asked, which executes what it is asked for. */
  readonly isRemote: boolean;
  readonly config: ConfigText | null;
  /** What `delivery.command` may run. */
  readonly renderCommands: readonly string[] | 'all';
  /** Opens the repository for the duration of `use`. */
  withEngine<T>(use: (engine: Engine) => Promise<T>, how?: UseOptions): Promise<T>;
  /** Where an answer is not that of now, as the remote cannot be reached, or not without git. */
  offline(): Notice | null;
  author(engine: Engine): Promise<Person>;
}

interface UseOptions {
  /** Questions may be answered from the mirror where the remote cannot be reached. */
  readonly offline?: boolean;
  /** What whoever stops it reads: a hint, where something may have been done by then. */
  readonly stopped?: string;
}

export async function startSession(
  environment: Environment,
  options: GlobalOptions,
  { sign, onOffline }: SessionHow = {},
): Promise<Session> {
  const config = options.config === undefined ? null : await readConfig(options.config);
  const repo = options.repo ?? '.';
  // Who names a configuration on the command line has said what may run.
  const renderCommands = config ? 'all' : environment.renderCommands;
  const text = options.output === 'text';
  let offline: Notice | null = null;
  const onNotice = (notice: Notice) => {
    if (notice.code !== 'MIRROR_RENEWED') {
      offline = notice;
      onOffline?.(notice);
    }
    // With `-o json`, standard error contains errors only.
    if (text) printProgress(notice.asOf === undefined ? notice.message : `offline: ${notice.message}`);
  };
  return {
    environment,
    format: options.output,
    repo,
    isRemote: options.server !== undefined,
    config,
    renderCommands,
    offline: () => offline,
    withEngine: async (use, how = {}) => {
      const draw = environment.progress ? progressLine : progressNotes;
      const { server, tokenFile } = options;
      const openHere = () =>
        openEngine({
          ...engineOptionsOf(environment),
          repo,
          ...(config && { config }),
          offline: how.offline,
          onNotice,
          onProgress: text ? draw(process.stderr, () => environment.clock.now()) : undefined,
          renderCommands,
          ...(sign && { sign }),
        });
      const openThere = async (server: string) => {
        const { openRemote } = await import('./remote/engine.ts');
        return openRemote({ server, tokenFile, sleep: (ms) => environment.clock.sleep(ms) });
      };
      const engine = await (server === undefined ? openHere() : openThere(server));
      try {
        return await stoppable(
          () => use(engine),
          () => engine.close(),
          how.stopped,
        );
      } finally {
        await engine.close();
      }
    },
    author: async (engine) => {
      // Who that is says the server.
      const own = options.server === undefined ? environment.author : null;
      return own ?? (await engine.identity()) ?? environment.account;
    },
  };
}

async function readConfig(file: string): Promise<ConfigText> {
  try {
    return { name: file, text: await readFile(file, 'utf8') };
  } catch (cause) {
    throw new BacktrailError('CONFIG_MISSING', `The configuration ${file} cannot be read.`, { cause });
  }
}
