import { isSecretKey, MASK, maskTokens } from '../../yaml/mask/secrets.ts';

/** Characters; a longer one is cut. */
export const MOST_MESSAGE = 300;
/** Before it is looked at: nobody's message is longer, and patterns cost by the length. */
const MOST_READ = 2000;
const SHORTEST_SECRET = 4;

/** Control, format and bidirectional characters, and lone surrogates. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;
const SETTING = /([\w.-]{1,100})(["']?\s{0,4}[=:]\s{0,4}["']?)([^\s"',;&)]{4,})/g;
/** Of a command line: `--password VALUE`. */
const OPTION = /(?<![\w-])(--?)([\w.-]{1,100})(["']?[,\s]\s{0,4}["']?)([^\s"',;&)-][^\s"',;&)]{3,})/g;
/** `failed to fetch oauth token: unexpected status`: words with which a sentence goes on, and no secrets. */
const isSentence = (between: string, value: string) =>
  between === ': ' &&
  /^(?:unexpected|failed|failure|invalid|unauthorized|forbidden|denied|expired|missing|error|errors|unable|cannot|could|unknown|context|http|https|dial|Bearer|Basic):?$/i.test(
    value,
  );

/**
 * A text that a cluster wrote, fit for a terminal and a record: one line of at most MOST_MESSAGE characters without control characters, tokens,
 * logins, values after names of secrets, and `secrets`.
 */
export function cleanMessage(text: string, secrets: readonly string[] = []): string {
  const line = text.slice(0, MOST_READ).replace(UNPRINTABLE, ' ').replace(/ {2,}/g, ' ').trim();
  const known = secrets.filter(({ length }) => length >= SHORTEST_SECRET);
  const without = known.reduce((left, secret) => left.replaceAll(secret, MASK), line);
  const masked = withoutSettings(maskTokens(without, () => MASK)).replace(
    OPTION,
    (option: string, dashes: string, name: string, between: string) =>
      isSecretKey(name) ? dashes + name + between + MASK : option,
  );
  return cut(masked, MOST_MESSAGE);
}

/** So many characters of it at most. */
export function cut(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length <= most
    ? text
    : `${characters
        .slice(0, most - 1)
        .join('')
        .trimEnd()}…`;
}

/** What is no secret may hold one: `exec: "--password=VALUE"`. */
const withoutSettings = (text: string): string =>
  text.replace(SETTING, (_, name: string, between: string, value: string) =>
    isSecretKey(name) && !isSentence(between, value)
      ? name + between + MASK
      : name + between + withoutSettings(value),
  );

/** A text of a cluster without the full stop that it may end with. It is cut first: what looks for its end costs by the square of its length. */
export const unended = (text: string) => text.slice(0, MOST_READ).replace(/[.\s]+$/, '');

/** `text`, as the end of a sentence that introduces it; '' where there is none. */
export const because = (text: string | undefined) => (text === undefined ? '' : `: ${unended(text)}`);
