/**
 * Markdown that GitHub, GitLab and Gitea read alike. Text of others stands in code spans and fenced blocks alone: nothing in it is a link, a
 * mention, a reference or HTML there (GitHub Flavored Markdown 0.29, 6.3 and 4.5; references of the three hosts skip code).
 */
import { byteLength } from '../../record/text.ts';

// Also what is not shown, or turns the direction of what follows.
const UNSHOWN = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Longer runs are shortened: cmark keeps no count of more than 80 in a line (MAXBACKTICKS), nor of more than 255 in a fence. */
const MOST_BACKTICKS = 16;
/** GitLab looks for these in the source, code or not ("Issue closing pattern"); only a plain space counts there. */
const CLOSING = /\b((?:clos|fix|resolv|implement)[a-z]*:?)( +)/gi;

const shownLine = (text: string) =>
  text
    .replace(UNSHOWN, '\ufffd')
    .replace(/`{17,}/g, `${'`'.repeat(MOST_BACKTICKS)}…`)
    .replace(CLOSING, (_, word: string, spaces: string) => word + '\u00a0'.repeat(spaces.length));

const fenceFor = (text: string, least: number) =>
  '`'.repeat(Math.max(least, 1 + Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length))));

/** At most so many characters, none of them cut in two. */
export function clip(text: string, characters: number): string {
  if (text.length <= characters) return text;
  const kept = text.slice(0, characters);
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`;
}

/** One line of text as a code span. */
export function code(text: string, characters = 300): string {
  const line = shownLine(clip(text.replace(/\r\n|[\n\r\u2028\u2029\u0085\t]/g, ' ').trim(), characters));
  if (line === '') return '`(empty)`';
  const fence = fenceFor(line, 1);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** Lines of text as a fenced block. None of them begins as one of GitLab's quick actions does. */
export function fenced(lines: readonly string[], language = ''): string {
  const shown = lines.map((line) => {
    const clean = line
      .split('\t')
      .map((part) => shownLine(clip(part, 500)))
      .join('\t');
    return /^[-+@ ]/.test(clean) ? clean : `  ${clean}`;
  });
  const fence = fenceFor(shown.join('\n'), 3);
  return `${fence}${language}\n${shown.join('\n')}\n${fence}`;
}

/** What is there already in these lines fits: as many of the lines as there is room for, and how many were left out. */
export function fitLines(lines: readonly string[], bytes: number): { shown: string[]; left: number } {
  const shown: string[] = [];
  let used = 0;
  for (const line of lines) {
    used += byteLength(line) + 8;
    if (used > bytes) break;
    shown.push(line);
  }
  return { shown, left: lines.length - shown.length };
}

/** `summary`: words of ours. */
export const folded = (summary: string, content: string) =>
  `<details>\n<summary>${summary}</summary>\n\n${content}\n\n</details>`;

const TITLE = 200;

/**
 * The title of a pull request: one line of at most 200 characters. GitLab reads mentions, references and closing words in it, and GitLab and
 * Gitea take some beginnings for a draft.
 */
export function titleOf(subject: string): string {
  const line = shownLine(subject.replace(/[\s\u0085]+/gu, ' ').trim())
    .replace(/@(?=[\p{L}\p{N}_.-])/gu, '\uff20')
    .replace(/#(?=\d)/g, '\uff03')
    .replace(/\bGH-(?=\d)/gi, 'GH\u2011')
    .replace(/:\/\//g, ':\u2215\u2215');
  const title = /^[[(]?\s*(?:draft|wip)\b/i.test(line) ? `Rollback: ${line}` : line;
  return title === '' ? 'Rollback' : clip(title, TITLE - 1);
}
