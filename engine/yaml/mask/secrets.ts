/**
 * Which names are names of secrets, and which texts are secret under any name. A wrong guess discloses a password: in
 * doubt a name is secret, except names known to be a reference to a secret or a setting about one.
 */

export const MASK = '***';
/** Replaces a secret that differs from the one before. */
export const CHANGED_MASK = `${MASK} (changed)`;

/** Returns the replacement of a secret. Receives the secret so that two can be told apart; must not disclose it. */
export type Marker = (secret: string) => string;

const STEMS =
  /passw(?:or)?d|passphrase|secret|token|credential|api-?key|private-?key|access-?key|connection-?string|kubeconfig|dockerc(?:onfig|fg)|htpasswd|requirepass|masterauth|pre-?shared|mnemonic|(?:seed|recovery)-?phrase|session-?id|snmp-?community|community-?string|fernet/;
const WORDS = new Set(
  'pass pwd pw pin otp totp creds cred dsn auth auths authorization oauth jwt bearer psk passcode netrc pgpass connstr salt cookie license licence'.split(
    ' ',
  ),
);
const KEY_OF =
  'auth account client cookie crypto csrf deploy encryption encrypting hmac jwt license licence master pgp gpg age rsa ecdsa aes tls ssl ssh service session shared signing sign storage symmetric webhook app';
const SECRET_KEYS = new RegExp(`(?:^|-)(?:${KEY_OF.replaceAll(' ', '|')})-?keys?(?:-|$)`);
/** Last words that make a name a reference or a setting: `secretName`, `passwordFile`, `tokenTtl`, `auth-service`. */
const ABOUT = new Set(
  (
    'name names ref refs reference references path paths file files filename dir directory url uri endpoint endpoints host port enabled ' +
    'disabled required optional ttl expiry expiration expires timeout seconds minutes hours days lifetime length policy type mode method ' +
    'algorithm class provider store version count limit limits size mount mounts volume volumes namespace rotation interval issuer ' +
    'domain samesite secure bits format audience service services server gateway worker manager controller operator proxy ui frontend backend reset reviewer requests driver'
  ).split(' '),
);
/** `DBPASS` and `SMTPPWD`, but not words such as `bypass`. */
const ENDS_IN_PASS = /(?<!^(?:by|com|encom|tres|sur|over|under|sub))(?:pass|pwd)$/;
/** `STRIPE_KEY`, as an environment variable; with one of OTHER_KEY before it the key is not a secret. */
const VARIABLE_KEY = /^(?:[A-Z][A-Z0-9]*_)*KEYS?$/;
const OTHER_KEY =
  /(?:^|_)(?:PUBLIC|PUB|PARTITION|SORT|PRIMARY|FOREIGN|ROUTING|TOPOLOGY|CACHE|INDEX|GROUP|OBJECT|LABEL|ANNOTATION|TAINT|SHARD|FEATURE|CONFIG|LOOKUP|HOT)_KEYS?$/;
/** Names that are secret with a string value, but name a group of settings with a map or a list. */
const GROUPS = /^(?:cookie|licen[sc]e|salt|keys?)$/i;
const REFERENCES = /^(?:existing-.*|external-secrets?|(?:image-)?pull-secrets?|secret-?key-?ref.*)$/;

/** Whether values under this name are masked. `DB_PASSWORD`, `clientSecret`, `api-key`: yes. `secretName`, `tokenPath`: no. */
export function isSecretKey(name: string): boolean {
  if (name.length > 512) return true;
  const read = unescaped(name);
  if (read !== name && isSecretKey(read)) return true;
  const words = wordsOf(name);
  if (ABOUT.has(words.at(-1) ?? '')) return false;
  const joined = words.join('-');
  if (REFERENCES.test(joined) && joined !== 'pull-secret') return false;
  return (
    STEMS.test(joined) ||
    SECRET_KEYS.test(joined) ||
    words.some((word) => WORDS.has(word) || ENDS_IN_PASS.test(word)) ||
    (VARIABLE_KEY.test(name) && !OTHER_KEY.test(name))
  );
}

/** Resolves escapes in a name, as parsers of `.properties`, JSON and others do. */
function unescaped(name: string): string {
  return name.replace(/\\(?:u([\da-f]{4})|(.))/gi, (_, code: string | undefined, char: string | undefined) =>
    code === undefined ? (char ?? '') : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** Whether a map or list under this name is a group of settings, although a string would be secret. */
export function isSettingsGroup(name: string): boolean {
  return GROUPS.test(name);
}

/** Splits a name into lower-case words: camelCase, SNAKE_CASE, kebab-case, dotted and slashed names. */
function wordsOf(name: string): string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}

/** Values of `license` in charts and packages (spdx.org/licenses). */
const LICENSE_NAME =
  /^(["']?)(?:MIT|ISC|Unlicense|Apache-2\.0|BSD-[23]-Clause|[AL]?GPL-[23]\.[01](?:-only|-or-later)?|MPL-2\.0|EPL-2\.0|CC0-1\.0|BUSL-1\.1)\1$/;

/** Values that are never secret; `secrets: [../config/secrets.yaml]` lists files. */
export function isHarmlessValue(text: string): boolean {
  if (text.length > 500) return false;
  const value = text.trim().replace(/[,;\s]+$/, '');
  return (
    /^(?:|true|false|null|~|""|''|\{\}|\[\])$/i.test(value) ||
    LICENSE_NAME.test(value) ||
    /^(["']?)(?:[\w.-]{1,100}\/){1,20}[\w.-]{1,100}\.(?:ya?ml|json)\1$/i.test(value)
  );
}

/** Token formats of vendors. */
const TOKENS = [
  /\bgh[pousr]_[A-Za-z0-9]{16,}/g,
  /\bgithub_pat_\w{16,}/g,
  /\bglpat-[\w-]{16,}/g,
  /\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}/g,
  /\bAIza[\w-]{30,}/g,
  /\bya29\.[\w-]{16,}/g,
  /\bxox[a-z]-[\w-]{8,}/g,
  /\bxapp-[\w-]{8,}/g,
  /hooks\.slack\.com\/(?:services|workflows|triggers)\/[\w/-]+/g,
  /discord(?:app)?\.com\/api\/(?:v\d{1,2}\/)?webhooks\/[\w/-]+/g,
  /webhook\.office\.com\/[^\s"'<>]+/g,
  /api\.telegram\.org\/bot\d+:[\w-]+/g,
  /(?<=[?&;](?:sig|signature|x-(?:amz|goog|ms)-(?:signature|credential|security-token)|awsaccesskeyid|googleaccessid|key|token)=)[^\s&"'<>]+/gi,
  /\b(?:glsa|whsec|shp(?:at|ss|ca))_\w{16,}/g,
  /\bGOCSPX-[\w-]{16,}/g,
  /\beyJ[\w-]{6,}={0,2}(?:\.[\w-]*={0,2}){0,4}/g,
  /\b(?:sk|rk|pk)_(?:live|test)_\w{8,}/g,
  /\bsk-[\w-]{20,}/g,
  /\bnpm_[A-Za-z0-9]{20,}/g,
  /\bhf_[A-Za-z0-9]{20,}/g,
  /\bpypi-[\w-]{20,}/g,
  /\bdckr_pat_[\w-]{16,}/g,
  /\bhv[sbr]\.[\w-]{16,}/g,
  /\bdop_v1_[a-f0-9]{16,}/g,
  /\bSG\.[\w-]{16,}\.[\w-]{16,}/g,
  /\bAGE-SECRET-KEY-1[A-Z0-9]{20,}/gi,
  /\$(?:2[abxy]|argon2(?:i|d|id)|[156]|apr1)\$[\w./$,=+-]{16,}/g,
] as const;

const TOKEN_HINT =
  /gh[pousr]_|_pat_|glpat-|AKIA|ASIA|AROA|AIDA|AIza|ya29|xox|xapp-|slack|eyJ|[srp]k[_-]|npm_|hf_|pypi-|hv[sbr]\.|dop_|SG\.|age-sec|\$|@|-----|bearer|basic|digest|token|webhook|telegram|sig=|signature=|credential=|accessid=|accesskeyid=|key=|private-lines|glsa_|whsec_|shp(?:at|ss|ca)_|GOCSPX-/i;

/** Cheap test before `maskTokens`. */
export function mayHoldToken(text: string): boolean {
  return TOKEN_HINT.test(text);
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{0,60}PRIVATE KEY[A-Z ]{0,20})-----[\s\S]*?(?:-----END \1-----|$)/g;
/** `scheme://user:password@host`. Not an image digest (`@sha256:`) nor `git@`; a password may contain a slash. */
const URL_WITH_PASSWORD = /:\/\/[^\s/:@"'<>]{0,1024}:[^\s"'<>]{0,1024}@(?!sha\d{3}:)/g;
const URL_WITH_TOKEN = /:\/\/(?!git@)[^\s/:@"'<>]{1,2048}@(?!sha\d{3}:)/g;
/** `user:password@tcp(host)`, as in some driver DSNs, without a scheme. */
const BARE_LOGIN = /(?<![\w.%/+@-])[\w.%+-]{1,128}:[^\s@/:"'<>]{1,1024}@(?!sha\d{3}:)(?=[\w([])/g;
/** `scott/tiger@//db:1521/x`, `scott/tiger@db:1521` and `scott/tiger@ORCL` (Oracle); not `actions/checkout@v4`. */
const ORACLE_LOGIN =
  /(?<![\w./@-])(?:(?<=thin:)\w{1,64}\/[^\s@/"']{1,256}(?=@)|\w{1,64}\/[^\s@/"']{1,256}(?=@(?:\/\/|[\w.-]{1,200}:\d{2,5}\b|[A-Z][A-Z0-9_]{2,30}\b)))/g;
/** The body of PuTTY private keys; the line after it has a colon. */
const PUTTY_BODY =
  /(Private-Lines:[ \t]*\d{1,5}[ \t]*\r?\n[ \t]*)[\w+/=]+(?:[ \t]*\r?\n[ \t]*[\w+/=]+(?=\s|$))*/g;
const HEADER = /\b(Bearer|Basic|Digest|Token)([ \t]+)[\w.~+/=-]{8,}/gi;

/** Masks private keys, credentials in URLs and tokens of known formats, anywhere in a text. */
export function maskTokens(text: string, marker: Marker): string {
  if (!mayHoldToken(text)) return text;
  let masked = text;
  if (text.includes('-----BEGIN')) masked = masked.replace(BLOCK, marker);
  if (text.includes('@')) {
    masked = masked
      .replace(URL_WITH_PASSWORD, (login) => `://${marker(login)}@`)
      .replace(URL_WITH_TOKEN, (login) => (login.startsWith(`://${MASK}`) ? login : `://${marker(login)}@`))
      .replace(BARE_LOGIN, (login) => `${marker(login)}@`);
  }
  if (text.includes('@')) masked = masked.replace(ORACLE_LOGIN, marker);
  if (text.includes('Private-Lines'))
    masked = masked.replace(PUTTY_BODY, (body, head: string) => head + marker(body));
  for (const pattern of TOKENS) masked = masked.replace(pattern, marker);
  return masked.replace(
    HEADER,
    (header, scheme: string, blank: string) => `${scheme}${blank}${marker(header)}`,
  );
}
