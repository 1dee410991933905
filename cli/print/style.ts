/** Colours, where the terminal has them, and how much of a text is shown. */
import { styleText } from 'node:util';
import { clean } from '../terminal/clean.ts';

type Styles = Parameters<typeof styleText>[0];

export interface Style extends Shown {
  /** Cleans text that came from a repository and colours it. */
  paint(styles: Styles, text: string): string;
}

interface Shown {
  /** Show each part of files that are added or removed, and cut nothing. */
  readonly full: boolean;
  /** Show only how much changes in each file? */
  readonly stat: boolean;
  /** Columns that a table may take; null: as many as it needs. */
  readonly columns: number | null;
}

export function makeStyle(color: boolean, shown: Partial<Shown> = {}): Style {
  return {
    full: false,
    stat: false,
    columns: null,
    ...shown,
    // Whether there are colours is decided here: node decides otherwise for some, as for an empty NO_COLOR, which says nothing.
    paint: (styles, text) =>
      color ? styleText(styles, clean(text), { validateStream: false }) : clean(text),
  };
}

export const short = (id: string) => id.slice(0, 7);

const DIGEST = /\b(sha(?:256|384|512):[0-9a-f]{12})[0-9a-f]{20,}/g;

/** Digests cut to 12 characters, `sha256:0123456789ab…`; as they are where two of the texts' digests would then look alike. */
export function shortenDigests({ full }: Pick<Style, 'full'>, texts: readonly string[]): string[] {
  const found = new Set(texts.flatMap((text) => text.match(DIGEST) ?? []));
  const cuts = new Set([...found].map((digest) => digest.replace(DIGEST, '$1')));
  if (full || cuts.size < found.size) return [...texts];
  return texts.map((text) => text.replace(DIGEST, '$1…'));
}

export const shortDigest = (style: Style, text: string) => shortenDigests(style, [text])[0] ?? text;

/** `v12 (3f2c9ab)` */
export function revisionName({ commit, version }: { commit: string; version: number | null }): string {
  return version === null ? short(commit) : `v${version} (${short(commit)})`;
}

export const minute = (time: string) => `${time.slice(0, 10)} ${time.slice(11, 16)}`;

export const cut = (text: string, limit: number) => (text.length > limit ? `${text.slice(0, limit)}…` : text);
