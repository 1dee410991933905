/** A face of the server in `npm run tour:faces`: a scene that calls it with its own client, and a part of docs/faces.md. */
import { say } from '../../narrate.ts';
import { answerOf, fence, withoutPassing } from '../page.ts';
import type { Scene, Served } from '../served.ts';
import { curlOf, type Step, take } from '../step.ts';

export interface Face {
  /** Its heading. */
  readonly title: string;
  /** What the page says before the calls: paragraphs, lists, tables. */
  readonly text: string;
  /** What it translates to, as the page shows it: `[its call, the core call]`, in Markdown. */
  readonly calls: readonly (readonly [string, string])[];
  /** Before the server starts. */
  readonly prepare?: (folder: string) => Promise<Prepared>;
  /** Calls it, checks what it says with `claim`, and gives what the page shows. */
  run(stage: Stage): Promise<readonly Example[]>;
}

export interface Prepared {
  /** Keys of its own for the file of `--server-config`, as YAML. */
  readonly configuration: string;
  /** After the server has ended. */
  close?(): Promise<void>;
}

/** All faces call one server. Each rolls back other services, so that none depends on the one before. */
export interface Stage extends Scene, Served {
  /** Makes a call, as `npm run tour:api` does; `core` is the same through the API. */
  readonly take: (step: FaceStep) => Promise<Example>;
  /** What earlier steps kept, by name. */
  readonly kept: Map<string, string>;
}

export interface FaceStep extends Step {
  readonly core?: Pick<Step, 'who' | 'method' | 'path' | 'body'>;
}

/** One call on the page. */
export interface Example {
  /** Starts a part of its own. */
  readonly title?: string | undefined;
  readonly text: string;
  /** As one would type it. */
  readonly call: Code;
  /** The core call that it translates to. */
  readonly core?: Code | undefined;
  readonly answer?: Code | undefined;
}

interface Code {
  /** Of the block: `sh`, `json`, `graphql` … */
  readonly language: string;
  /** Ids, times and the like are left out by the page. */
  readonly code: string;
}

export function stageOf(scene: Scene, served: Served): Stage {
  const kept = new Map<string, string>();
  const taking = { ...served, scene, kept };
  return {
    ...scene,
    ...served,
    kept,
    take: async (step) => {
      const shown = await take(step, taking);
      const { core } = step;
      if (core !== undefined) say(`(through the API: ${curlOf(core)})\n`);
      const [, language = '', code = ''] = /^```(\w*)\n([^]*)\n```\n$/.exec(answerOf(shown)) ?? [];
      return {
        title: step.title,
        text: step.text,
        call: { language: 'sh', code: shown.line },
        ...(core && { core: { language: 'sh', code: curlOf(core) } }),
        answer: { language, code },
      };
    },
  };
}

/** Its part of the page. */
export function faceText({ title, text, calls }: Face, examples: readonly Example[]): string {
  const rows = calls.map(([own, core]) => `| ${own} | ${core} |\n`).join('');
  const table = rows === '' ? '' : `\n| call | translates to |\n|---|---|\n${rows}`;
  return `\n## ${title}\n\n${text}\n${table}${examples.map(exampleText).join('')}`;
}

function exampleText({ title, text, call, core, answer }: Example): string {
  return [
    ...(title === undefined ? [] : [`\n### ${title}\n`]),
    `\n${text}\n\n`,
    block(call),
    ...(answer === undefined ? [] : [block(answer)]),
    ...(core === undefined ? [] : [`\nThe same through the API:\n\n${block(core)}`]),
  ].join('');
}

const block = ({ language, code }: Code) => fence(language, withoutPassing(code));
