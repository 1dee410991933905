import { EVENT_TRAILERS } from '../../record/ledger-message.ts';
import { TRAILERS } from '../../record/trailers.ts';
import { type ConfigEntry, hostileScope } from './config.ts';
import { withoutPrompts } from './prompts.ts';
import type { Environment, ProcessEnvironment } from './spawn.ts';

type Pair = readonly [key: string, value: string];

/** Variables of git that belong to the user; every other GIT_* is dropped, for it would point git somewhere else. */
const KEPT =
  /^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|SSL_\w+|HTTP_\w+|CURL_\w+|PROXY_\w+|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|ATTR_NOSYSTEM|EXEC_PATH|ALLOW_PROTOCOL|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM|(AUTHOR|COMMITTER)_(NAME|EMAIL))$/;

/** `git -c` of the user: read once, when the configuration is listed. */
const COMMAND_SCOPE = /^GIT_CONFIG_(COUNT|PARAMETERS|KEY_\d+|VALUE_\d+)$/;

const FIXED: Environment = {
  LC_ALL: 'C.UTF-8',
  LANGUAGE: '',
  GIT_TERMINAL_PROMPT: '0',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  // `info/grafts` would give commits other parents than they have.
  GIT_GRAFT_FILE: '/dev/null',
  GIT_NO_LAZY_FETCH: '1',
  GIT_MERGE_AUTOEDIT: 'no',
  GIT_PAGER: 'cat',
  GIT_EDITOR: ':',
  GIT_SEQUENCE_EDITOR: ':',
  GIT_ADVICE: '0',
};

/** Holds in every repository, whatever any configuration says. */
const PINS: readonly Pair[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['protocol.ext.allow', 'never'],
  ['core.commitGraph', 'true'],
  // Milliseconds: another worker holds a ref for a moment only.
  ['core.filesRefLockTimeout', '1000'],
  ['core.commentChar', '#'],
  ['core.quotePath', 'false'],
  ['trailer.separators', ':'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['log.showSignature', 'false'],
  ['merge.verifySignatures', 'false'],
  ['merge.autoStash', 'false'],
  ['submodule.recurse', 'false'],
  ['fetch.recurseSubmodules', 'false'],
  ['push.recurseSubmodules', 'no'],
  ['push.gpgSign', 'false'],
  ['push.followTags', 'false'],
];

interface Rule {
  readonly key: RegExp;
  readonly neutral: string;
  /** A list that an empty value begins anew. */
  readonly list?: boolean;
}

/**
 * Keys of a repository's configuration that run a program or open a door, and what they become.
 * `url.*` and `core.gitProxy` have no neutral value: no transport is allowed where a foreign configuration is read.
 */
const RULES: readonly Rule[] = [
  { key: /^core\.(editor|pager)$|^sequence\.editor$|^pager\./, neutral: 'cat' },
  { key: /^core\.askpass$|^gpg\.ssh\.defaultkeycommand$|^init\.templatedir$/, neutral: '' },
  { key: /^core\.sshcommand$/, neutral: 'ssh' },
  { key: /^core\.alternaterefscommand$|^uploadpack\.packobjectshook$/, neutral: 'true' },
  { key: /^core\.protect(ntfs|hfs)$/, neutral: 'true' },
  { key: /^gpg\.(.*\.)?program$|^merge\..*\.driver$/, neutral: 'false' },
  { key: /^diff\.external$|^diff\..*\.command$|^trailer\..*\.(cmd|command)$/, neutral: 'true' },
  { key: /^diff\..*\.textconv$|^interactive\.difffilter$/, neutral: 'cat' },
  { key: /^filter\..*\.(clean|smudge|process)$/, neutral: '' },
  { key: /^filter\..*\.required$/, neutral: 'false' },
  { key: /^branch\..*\.mergeoptions$|^alias\.|^remote\..*\.(vcs|proxy)$/, neutral: '' },
  { key: /^remote\..*\.uploadpack$/, neutral: 'git-upload-pack' },
  { key: /^remote\..*\.receivepack$/, neutral: 'git-receive-pack' },
  { key: /^submodule\..*\.update$/, neutral: 'none' },
  { key: /^protocol\.(.*\.)?allow$/, neutral: 'never' },
  { key: /^http\.(.*\.)?sslverify$/, neutral: 'true' },
  { key: /^http\.(.*\.)?(proxy|cookiefile)$/, neutral: '' },
  { key: /^http\.(.*\.)?savecookies$/, neutral: 'false' },
  { key: /^http\.(.*\.)?extraheader$|^credential\.(.*\.)?helper$/, neutral: '', list: true },
];

/** For discovery and for listing the configuration, which run nothing: the user's `git -c` still speaks for itself. */
export function discoveryEnvironment(user: ProcessEnvironment): Environment {
  return { ...inherited(user, (name) => COMMAND_SCOPE.test(name)), ...FIXED };
}

/**
 * For everything else. `entries` is the whole configuration that holds in the repository.
 * Without `transport`, git may not talk to anything: also not to fetch a missing object through a foreign upload-pack.
 */
export function hardenedEnvironment(options: {
  readonly user: ProcessEnvironment;
  readonly entries: readonly ConfigEntry[];
  readonly transport: boolean;
  /** Configuration of our own, above every other. */
  readonly config?: readonly Pair[];
}): Environment {
  const { user, entries, transport, config = [] } = options;
  const pairs = [
    ...commandScope(entries),
    ...overrides(entries),
    ...trailerNames(entries),
    ...PINS,
    ...config,
  ];
  return {
    ...inherited(user, () => false),
    ...FIXED,
    ...(transport ? withoutPrompts(user, entries) : { GIT_ALLOW_PROTOCOL: 'none' }),
    ...configVariables(pairs),
  };
}

/**
 * Where git keeps the objects of a push until its pre-receive hook has judged them (git-receive-pack(1), QUARANTINE ENVIRONMENT): only for what
 * runs in such a hook, and only reads.
 */
export function quarantineOf(user: ProcessEnvironment): Environment {
  const names = ['GIT_QUARANTINE_PATH', 'GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES'];
  const given = names.flatMap((name) => {
    const value = user[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(given);
}

function inherited(user: ProcessEnvironment, also: (name: string) => boolean): Environment {
  const kept = Object.entries(user).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (!entry[0].startsWith('GIT_') || KEPT.test(entry[0]) || also(entry[0])),
  );
  return Object.fromEntries(kept);
}

function commandScope(entries: readonly ConfigEntry[]): Pair[] {
  return entries.filter(({ scope }) => scope === 'command').map(({ key, value }) => [key, value ?? 'true']);
}

/** Keys of the repository's own configuration whose values do not hold: those that run programs, and those that are pinned. */
export function overriddenKeys(entries: readonly ConfigEntry[]): string[] {
  const pinned = new Set(PINS.map(([key]) => key.toLowerCase()));
  const keys = entries.filter(hostileScope).map(({ key }) => key);
  return [
    ...new Set(keys.filter((key) => pinned.has(key) || RULES.some((rule) => rule.key.test(key)))),
  ].sort();
}

function overrides(entries: readonly ConfigEntry[]): Pair[] {
  const keys = new Set(entries.filter(hostileScope).map(({ key }) => key));
  return [...keys].flatMap((key) => {
    const rule = RULES.find((rule) => rule.key.test(key));
    return rule === undefined ? [] : override(key, rule, entries);
  });
}

/**
 * `trailer.NAME.key`, whoever set it, renames every trailer whose key NAME or that value begins with, also where git reads:
 * `trailer.author.key=Authored-by` hides our `Author`. Each name gets the one key of ours back that it begins with, or itself.
 */
function trailerNames(entries: readonly ConfigEntry[]): Pair[] {
  const names = new Set(entries.flatMap(({ key }) => /^trailer\.(.+)\.key$/s.exec(key)?.[1] ?? []));
  const ours = (name: string) =>
    [...Object.keys(TRAILERS), ...EVENT_TRAILERS]
      .sort(byLength)
      .find((key) => name.toLowerCase().startsWith(key.toLowerCase()));
  return [...names].map((name) => [`trailer.${name}.key`, ours(name) ?? name]);
}

/** The longest first: `Event-Id` also begins with `Event`. */
const byLength = (a: string, b: string) => b.length - a.length;

function override(key: string, rule: Rule, entries: readonly ConfigEntry[]): Pair[] {
  const own = entries
    .filter((entry) => entry.key === key && !hostileScope(entry))
    .map(({ value }) => value ?? 'true');
  if (rule.list === true) return ['', ...own].map((value) => [key, value]);
  return [[key, own.at(-1) ?? rule.neutral]];
}

function configVariables(pairs: readonly Pair[]): Environment {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(pairs.length) };
  for (const [index, [key, value]] of pairs.entries()) {
    variables[`GIT_CONFIG_KEY_${index}`] = key;
    variables[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return variables;
}
