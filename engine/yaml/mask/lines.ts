import type { Continuation } from './secret-continuation.ts';
import { closingQuote, columnOf, continuation, untilElementEnds } from './secret-continuation.ts';
import type { Marker } from './secrets.ts';
import { isHarmlessValue, isSecretKey, MASK, maskTokens } from './secrets.ts';

/** State while masking a text line by line. */
interface LineState {
  readonly marker: Marker;
  /** Whether a key is secret on this line regardless of its name. */
  readonly isForced: (key: string, index: number) => boolean;
  /** Continuation of a secret over several lines; null outside of one. */
  continues: Continuation | null;
}

/** A secret value in a line: its key and offsets. */
interface SecretRange {
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

/** Two or three colons: a hidden field of Jsonnet. */
const SEPARATOR = /(?::=|=>|=|:{2,3}(?=[ \t"'])|:(?!\/\/))[ \t]*/g;
const ENDS_KEY = new Set(' \t,;{}()<>&?|=:!');
const KEY_LIMIT = 600;
/** What may precede a line's first key: spaces, list and comment markers, a word or two as in `export KEY=value`. */
const LINE_START = /^[\s#;"'`{[*-]*(?:\/\/\s*)?(?:\w{1,40}\s+){0,2}$/;
const FLAG = /(?<![\w-])--?([A-Za-z][\w.-]{1,80})["']?(?:,[ \t]*|[ \t]+)(?=[^\s=])/g;
/** `curl -u admin:` and the text after it; two numbers are a user and a group id. */
const CREDENTIALS_FLAG =
  /(?<![\w-])(?:-u|--(?:proxy-)?user)["']?(?:[ \t]*[,=][ \t]*|[ \t]*)["']?(?!\d+:\d+(?!\S))[^\s:"',=]{1,128}:(?=[^\s"'/])/g;
/** Commands that take a password directly after an option letter. */
const PASSWORD_LETTER =
  /(?<![\w-])(?:(?:mysql|mariadb)[\w-]{0,20}[ \t](?:[^|;&]{0,300}[ \t])?-p(?=[^\s-])|sshpass[ \t]{1,8}-p[ \t]{0,8}(?=\S)|redis-cli[ \t](?:[^|;&]{0,300}[ \t])?(?:-a|--pass)[ \t]{1,8}(?=\S))/g;
/** Commands that take a password as the word after an option, and `htpasswd -b file user`. */
const PASSWORD_WORD =
  /(?<![\w-])(?:openssl[ \t](?:[^|;&]{0,300}[ \t])?-(?:k|K|pass(?:in|out)?)|(?:docker|podman|buildah|skopeo|nerdctl|helm|oc|az|argocd)[ \t](?:registry[ \t])?login[ \t](?:[^|;&]{0,300}[ \t])?-p|(?:mongo(?:sh|dump|restore|export|import)?|rabbitmqadmin|cqlsh)[ \t](?:[^|;&]{0,300}[ \t])?-p|ldap(?:search|modify|add|delete|whoami|passwd)[ \t](?:[^|;&]{0,300}[ \t])?-w|(?:zip|unzip|sqlcmd|mosquitto_(?:pub|sub))[ \t](?:[^|;&]{0,300}[ \t])?-P|htpasswd[ \t]{1,8}-[a-zA-Z]{0,8}b[a-zA-Z]{0,8}[ \t]{1,8}[^\s|;&]{1,200}[ \t]{1,8}[^\s|;&]{1,200})[ \t]{1,8}(?=[^\s-])/g;
/** `user = "admin:`, as in .curlrc. */
const CREDENTIALS_SETTING =
  /(?:^|[ \t])(?:proxy-)?user[ \t]{0,8}[=:][ \t]{0,8}["'](?!\d+:\d+["']|system:)[^\s:"']{1,128}:(?=[^\s"'/])/g;
/** `define('DB_PASSWORD', 'value')`, `setenv("TOKEN", "value")`. */
const CALL = /\b\w{1,60}\([ \t]{0,8}["']([\w.-]{1,80})["'][ \t]{0,8},[ \t]{0,8}(?=["'])/g;
const ELEMENT = /<([A-Za-z][\w.:-]{0,80})(?:\s[^<>]{0,500})?>(?=[^<]|<!\[CDATA\[|$)/g;
const NAME_OF_PAIR =
  /(?:^|[\s{,"'<-])(?:name|key|variable|parameter|env|id|path)["']?[ \t]{0,8}[:=][ \t]{0,8}["']?([\w.\-/]{1,200})/gi;
/** The name is on the next line. */
const NAME_BELOW =
  /(?:^|[\s{,"'-])(?:name|key|variable|parameter)["']?[ \t]{0,8}:[ \t]{0,8}(?:[|>][-+\d]{0,2})?\s*$/i;
export const VALUE_OF_PAIR = /^(?:value|val|default\w*|content|literal|string|data)$/i;
/** Ignores tags, anchors and quotes; a kind with escapes may be `Secret`. */
const SECRET_KIND =
  /(?:^|[\s"'{,])kind["']?[ \t]*[:=][ \t]*(?:[!&][^\s"']{0,99}[ \t]{1,9}){0,2}(?:["']?Secret(?:List)?\b|"[^"\n]{0,99}\\)/im;

/**
 * Masks a text of any format by patterns of its lines: `KEY=value`, `key: value`, `"key": "value"`, `--key value`,
 * `<key>value</key>`, name/value pairs, everything indented below a secret key, and what `maskTokens` finds.
 * Masks to the end of the line if the end of a value is ambiguous. Runs in linear time.
 */
export function maskLines(text: string, marker: Marker = () => MASK): string {
  const lines = maskTokens(text, marker).split('\n');
  const pairs = secretPairs(lines);
  const secretKind = SECRET_KIND.test(text);
  const state: LineState = {
    marker,
    isForced: (key, index) =>
      (pairs.has(index) && VALUE_OF_PAIR.test(key)) || (secretKind && /^(?:data|stringData)$/i.test(key)),
    continues: null,
  };
  return lines.map((line, index) => maskLine(line, index, state)).join('\n');
}

function maskLine(line: string, index: number, state: LineState): string {
  const ending = line.endsWith('\r') ? '\r' : '';
  const content = ending === '' ? line : line.slice(0, -1);
  const place = state.continues?.(content) ?? 'outside';
  if (place !== 'inside') state.continues = null;
  if (place === 'outside') return maskAssignments(content, index, state) + ending;
  const start = columnOf(content);
  const secret = content.slice(start).trimEnd();
  return secret === '' ? line : content.slice(0, start) + state.marker(secret) + ending;
}

function maskAssignments(line: string, index: number, state: LineState): string {
  let masked = '';
  let from = 0;
  let apart = wordPair(line) ?? spaced(line, 0, state);
  for (;;) {
    if (apart !== null && apart.from < from) apart = spaced(line, from, state);
    const next = assigned(line, from, index, state);
    const found = next === null || (apart !== null && apart.from <= next.from) ? apart : next;
    if (found === null) return masked + line.slice(from);
    masked += line.slice(from, found.from) + state.marker(`${found.key}=${line.slice(found.from, found.to)}`);
    from = found.to;
  }
}

function assigned(line: string, from: number, index: number, state: LineState): SecretRange | null {
  SEPARATOR.lastIndex = from;
  for (let match = SEPARATOR.exec(line); match !== null; match = SEPARATOR.exec(line)) {
    const end = match.index + match[0].length;
    const { key, start, isQuoted } = keyBefore(line, match.index, from);
    if (key === '') continue;
    const before = line.slice(0, start);
    const isFirst = start < 200 && LINE_START.test(before);
    const isImage =
      match[0] === ':' && !isQuoted && !isFirst && !/^(?:$|\\?["'`])/.test(line.slice(end, end + 2));
    if (isImage || (match[0] === ':' && key.includes('/') && !isQuoted && end < line.length)) continue;
    if (!isSecretKey(key) && !state.isForced(key, index)) continue;
    state.continues =
      continuation({ rest: line.slice(end), before: isFirst ? before : null, isQuoted }) ?? state.continues;
    const to = end + lengthOfValue(line.slice(end));
    if (to > end && !isHarmlessValue(line.slice(end, to))) return { key, from: end, to };
  }
  return null;
}

/** The name before a separator, without quotes. */
function keyBefore(line: string, separator: number, from: number) {
  const lowest = Math.max(from, separator - KEY_LIMIT);
  let end = separator;
  while (end > lowest && /[ \t]/.test(line[end - 1] ?? '')) end -= 1;
  let start = end;
  while (start > lowest && !ENDS_KEY.has(line[start - 1] ?? '')) start -= 1;
  const name = line.slice(start, end);
  const spaced =
    /(?:api|private|access|secret|connection) $/i.exec(
      line.slice(Math.max(lowest, start - 12), start),
    )?.[0] ?? '';
  const key = (spaced + name).replace(/^["'`\\]+|["'`\\]+$/g, '');
  return { key, start: start - spaced.length, isQuoted: /["'`]$/.test(name) };
}

/** `--password value`, `["--password", "value"]`, `<password>value</password>`. */
function spaced(line: string, from: number, state: LineState): SecretRange | null {
  if (
    /^[\s-]*["']?--?[A-Za-z][\w.-]*["']?,?\s*$/.test(line) &&
    isSecretKey(line.trim().replace(/["',\s]/g, ''))
  ) {
    state.continues = () => 'last';
    return null;
  }
  for (const pattern of [FLAG, ELEMENT, CALL]) {
    pattern.lastIndex = from;
    for (let match = pattern.exec(line); match !== null; match = pattern.exec(line)) {
      const key = match[1] ?? '';
      const start = match.index + match[0].length;
      if (!isSecretKey(key)) continue;
      if (pattern === ELEMENT && !match[0].endsWith('/>') && !line.includes('</', start))
        state.continues = untilElementEnds;
      const to = line.trimEnd().length;
      if (to > start) return { key, from: start, to };
    }
  }
  for (const pattern of [CREDENTIALS_FLAG, CREDENTIALS_SETTING, PASSWORD_LETTER, PASSWORD_WORD]) {
    pattern.lastIndex = from;
    const match = pattern.exec(line);
    if (match) return { key: 'password', from: match.index + match[0].length, to: line.trimEnd().length };
  }
  return null;
}

/** `requirepass value`, if a line is one key and one value; `ENV TOKEN value`; `… credentials jane password value`. */
function wordPair(line: string): SecretRange | null {
  const [, before = '', key = ''] = /^([\s#;/]*([\w.-]{1,128})[ \t]+)[^\s:={]+\s*$/.exec(line) ?? [];
  if (key !== '' && isSecretKey(key)) return { key, from: before.length, to: line.trimEnd().length };
  const variable = /^([\s#]*(?:ENV|ARG|SET|SETENV|SetEnv)[ \t]+([\w.-]{1,128})[ \t]+)[^\s=]/i.exec(line);
  if (variable !== null && isSecretKey(variable[2] ?? ''))
    return { key: variable[2] ?? '', from: (variable[1] ?? '').length, to: line.trimEnd().length };
  const login = line.search(/\blogin\s/);
  const password = login === -1 ? null : /\bpassword[ \t]+(?=\S)/.exec(line.slice(login));
  if (password === null) return null;
  return { key: 'password', from: login + password.index + password[0].length, to: line.trimEnd().length };
}

/** Length of the value after a separator: to the closing quote, or to the end of the line. */
function lengthOfValue(rest: string): number {
  const quote = /^\\?["'`]/.exec(rest)?.[0];
  const whole = rest.trimEnd().length;
  if (quote === undefined) return whole;
  const close = closingQuote(rest, quote, quote.length);
  if (close === -1) return whole;
  const end = close + quote.length;
  return /^(?:$|[\s,;}\])&|])/.test(rest.slice(end)) ? end : whole;
}

/** Lines that may have the value of a `name: DB_PASSWORD` beside them: those of the same item, within five lines. */
function secretPairs(lines: readonly string[]): ReadonlySet<number> {
  const found = new Set<number>();
  lines.forEach((line, index) => {
    const names = [...line.matchAll(NAME_OF_PAIR)].map((match) => match[1] ?? '');
    if (NAME_BELOW.test(line)) names.push((lines[index + 1] ?? '').replace(/["'\s]/g, ''));
    if (!names.some(isSecretKey)) return;
    found.add(index);
    for (let next = index + 1; next <= index + 5 && !/^\s*(?:- |[}\]])/.test(lines[next] ?? ''); next += 1)
      found.add(next);
    for (let last = index; last > index - 5 && !/^\s*(?:- |[{[])/.test(lines[last] ?? ''); last -= 1)
      found.add(last - 1);
  });
  addTerraform(lines, found);
  return found;
}

/** Adds the lines of Terraform blocks such as `variable "db_password" {`, up to the closing bracket. */
function addTerraform(lines: readonly string[], found: Set<number>): void {
  let isSecret = false;
  lines.forEach((line, index) => {
    const name = /^[ \t]*(?:variable|output)[ \t]+"([^"]{1,200})"/.exec(line)?.[1];
    if (name !== undefined) isSecret = isSecretKey(name);
    if (isSecret) found.add(index);
    if (line.startsWith('}')) isSecret = false;
  });
}
