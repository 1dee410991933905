/** Values that are masked in YAML, lines and texts. */
import { describe, expect, it } from 'vitest';
import { SECRET_KEYS } from '../../helpers/trees/secrets.ts';
import { isSecretKey, maskLines, maskText, maskYaml } from '../../../engine/yaml/mask/mask.ts';

const PLAIN_KEYS =
  'secretName secretRef secretRefs secretKeyRef existingSecret existingSecretPasswordKey tokenSecretName passwordFile tokenPath ' +
  'tokenUrl image tag key publicKey author authority topologyKey imagePullSecrets bypass compass replicas host name ' +
  'secretStoreRef auth-service passwordPolicy tokenTtl monkey keyboard __proto__ constructor tls.crt';

describe('isSecretKey', () => {
  it.each(SECRET_KEYS)('takes %s for the key of a secret', (key) => {
    expect(isSecretKey(key)).toBe(true);
  });

  it.each(PLAIN_KEYS.split(' '))('takes %s for a reference, a setting or something else', (key) => {
    expect(isSecretKey(key)).toBe(false);
  });
});

const NEW_KEYS =
  'DBPASS SMTPPASS dbpwd pass pw KEY STRIPE_KEY FERNET_KEY PRESHAREDKEY PresharedKey SALT COOKIE Cookie SESSION_ID sessionId MNEMONIC ' +
  'LICENSE api.key SNMP_COMMUNITY seedPhrase';

const LOOK_ALIKES =
  'keySize tokenURL secretFile PARTITION_KEY SSH_PUBLIC_KEY CACHE_KEY encompass cookieName cookieDomain licenses sessionTimeout ' +
  'saltstack KEYBOARD';

describe('the names of secrets', () => {
  it.each(NEW_KEYS.split(' '))('%s is one', (key) => {
    expect(isSecretKey(key)).toBe(true);
  });

  it.each(LOOK_ALIKES.split(' '))('%s only looks like one', (key) => {
    expect(isSecretKey(key)).toBe(false);
  });
});

describe('what must be masked', () => {
  it.each([
    ['a Discord webhook', 'a: https://discord.com/api/webhooks/123/h1-x\n'],
    ['a Teams webhook', 'a: https://x.webhook.office.com/webhookb2/h1@b/IncomingWebhook/c\n'],
    ['a Slack trigger', 'a: https://hooks.slack.com/triggers/T1/h1\n'],
    ['a signature of Azure', 'a: https://x.blob.core.windows.net/c?sv=2020&sig=h1%3D\n'],
    ['a signature of S3', 'a: https://b.s3.amazonaws.com/k?X-Amz-Signature=h1&X-Amz-Credential=h1\n'],
    ['a login of Oracle', 'a: jdbc:oracle:thin:scott/h1@//db:1521/x\n'],
    ['one by its service', 'a: scott/h1@ORCL\n'],
    ['a login under its name', 'ADMIN_LOGIN: admin:h1\n'],
    ['a login beside its name', 'env: [{name: ADMIN_LOGIN, value: "admin:h1"}]\n'],
    ['a password behind -p', 'args: [-p, h1]\n'],
    ['a password behind -a', 'args: [redis-cli, -a, h1]\n'],
    ['a key behind -k', 'args: [-k, h1]\n'],
    ['a Cookie header', 'httpHeaders: [{name: Cookie, value: "sid=h1"}]\n'],
    ['a key of an API', 'api: {key: h1}\n'],
    ['a key of a file', '{"key": "h1"}'],
    ['a secret in another case', 'kind: secret\ndata: {a: h1}\n'],
    ['one in capitals', 'Kind: SECRET\nStringData: {a: h1}\n'],
    [
      'the template of an ExternalSecret',
      'kind: ExternalSecret\nspec: {target: {template: {data: {x: h1}}}}\n',
    ],
    ['a parameter of Helm', 'parameters: [{name: dbpass, value: h1}]\n'],
    ['a manifest in a block', 'values: |\n  kind: Secret\n  stringData:\n    a: h1\n    b: h1\n'],
    ['a manifest in a string', `a: '{"kind":"Secret","data":{"x":"h1"}}'\n`],
    [
      'a pair in a block',
      'values: |\n  env:\n    - value: h1\n      x: 1\n      y: 2\n      name: DB_PASSWORD\n',
    ],
    ['an alias in a block', 'values: |\n  a: &x h1\n  password: *x\n'],
  ])('%s', (_what, text) => {
    expect(maskYaml(text)).toContain('***');
    expect(maskYaml(text)).not.toContain('h1');
  });

  it.each([
    ['Dockerfile', 'ENV DB_PASSWORD h1\n'],
    ['Dockerfile', 'ENV STRIPE_KEY=h1\n'],
    ['.htpasswd', 'admin:h1\n'],
    ['.pgpass', 'db:5432:*:me:h1\n'],
    ['.env', 'KEY=h1\nDBPASS=h1\n'],
    ['curlrc.conf', 'user = "admin:h1"\n'],
    ['a.php', "define('DB_PASSWORD', 'h1');\n"],
    ['a.sh', 'openssl enc -k h1\n'],
    ['a.sh', 'docker login -u me -p h1 r.io\n'],
    ['a.sh', 'htpasswd -b file me h1\n'],
    ['a.sh', 'ldapsearch -D cn=x -w h1\n'],
    ['k.ppk', 'Private-Lines: 2\nh1AAAA\nh1BB+/=\nPrivate-MAC: aa\n'],
    ['a.tpl', '{{ if x }}\nkind: secret\ndata:\n  a: h1\n'],
  ])('in %s: %j', (path, text) => {
    expect(maskText(text, path)).toContain('***');
    expect(maskText(text, path)).not.toContain('h1');
  });
});

describe('what must be shown', () => {
  it.each([
    'image: ghcr.io/acme/api:v2.1.0@sha256:0123456789abcdef\n',
    'tag: v1.2.3\nreplicas: 3\nhost: api.example.com\ndigest: sha256:0123\n',
    'tolerations:\n- key: gpu\n  operator: Exists\n',
    'tolerations: [{key: gpu}]\n',
    'matchExpressions: [{key: app, operator: In, values: [a]}]\n',
    'items: [{key: a.conf, path: a.conf}]\n',
    'valueFrom: {configMapKeyRef: {name: a, key: b}}\n',
    'remoteRef: {key: prod/db}\n',
    'kind: ConfigMap\ndata: {a: b}\n',
    'kind: ExternalSecret\nspec: {data: [{remoteRef: {key: prod/db}}]}\n',
    'command: [mkdir, -p, data]\nargs: [-p, "8080:80", -p, 8080, -a, --x, -k, overlays/prod]\n',
    'run: kubectl apply -k overlays && docker run -p 80:80 x && cp -a x y\n',
    'uses: actions/checkout@v4\npackage: acme/api@1.2.3\n',
    'license: Apache-2.0\ncookie: {name: sid, domain: example.com}\n',
    'user: "1000:1000"\nsubject: {user: "system:kube-proxy"}\n',
    'values: |\n  image:\n    tag: v1.2.3\n  replicas: 3 # three\n  host: api.example.com\n',
    'url: https://example.com/a?page=1&sort=name\n',
  ])('%j', (text) => {
    expect(maskYaml(text)).toBe(text);
  });
});

describe('maskYaml', () => {
  it.each([
    ['a secret key', 'a: 1 # one\npassword:   hunter2\nb: 2\n', 'a: 1 # one\npassword:   ***\nb: 2\n'],
    ['everything under one', 'creds:\n  - h1\n  - {a: h2}\n', 'creds:\n  - ***\n  - {a: ***}\n'],
    ['quotes', `p: {token: "h1", pwd: 'h2'}\n`, `p: {token: "***", pwd: '***'}\n`],
    ['a block scalar', 'secret: |-\n  h1\n  h2\n# kept\na: 1\n', 'secret: ***\n# kept\na: 1\n'],
    [
      'comments beside and below',
      'auth:\n  # was h1\n  pw: h2 # h3\n# kept\n',
      'auth:\n  # ***\n  pw: *** # ***\n# kept\n',
    ],
    [
      'a commented-out secret',
      'a: 1\n# password: |\n#   h1\n# b: 2\n',
      'a: 1\n# password: ***\n#   ***\n# b: 2\n',
    ],
    ['a Secret manifest', 'kind: Secret\ndata:\n  a: aDE=\nx: 1\n', 'kind: Secret\ndata:\n  a: ***\nx: 1\n'],
    [
      'one with a tag',
      'kind: !!str Secret\nstringData: {a: h1}\n',
      'kind: !!str Secret\nstringData: {a: ***}\n',
    ],
    ['one in JSON', '{"kind": "Secret", "data": {"a": "h1"}}', '{"kind": "Secret", "data": {"a": "***"}}'],
    [
      'one of a list',
      'kind: List\nitems: [{kind: Secret, data: {a: h1}}]',
      'kind: List\nitems: [{kind: Secret, data: {a: ***}}]',
    ],
    [
      'a name and its value',
      'env:\n- name: DB_PASSWORD\n  value: h1\n',
      'env:\n- name: DB_PASSWORD\n  value: ***\n',
    ],
    ['a flag and the next item', 'args: [--token, h1, kept]\n', 'args: [--token, ***, kept]\n'],
    ['a login and its flag', 'args: [curl, -u, "me:h1", kept]\n', 'args: [curl, -u, "***", kept]\n'],
    ['a password behind a letter', 'args: [mysql, -ph1, kept]\n', 'args: [mysql, ***, kept]\n'],
    ['a flag with its value', 'args: ["--token=h1", kept]\n', 'args: ["--token=***", kept]\n'],
    ['an anchor used as a secret', 'x: &a h1\npassword: *a\n', 'x: &a ***\npassword: *a\n'],
    ['lines of htpasswd', 'users: |\n  me:{SHA}h1=\n  you:h2\na: 1\n', 'users: ***\na: 1\n'],
    ['a list of them', 'users: ["me:h1", "1000:1000", jane]\n', 'users: ["***", "1000:1000", jane]\n'],
    ['a login in an address', 'u: postgres://me:h1@db/x\n', 'u: postgres://***@db/x\n'],
    [
      'a secret in a file in a ConfigMap',
      'd:\n  p: |\n    a=1\n    db.pwd=h1\n',
      'd:\n  p: |\n    a=1\n    db.pwd=***\n',
    ],
    ['an escaped secret in a string', String.raw`s: "a=1\npassword=h1"`, 's: "***"'],
    ['a token of known shape', `t: ghp_${'a'.repeat(36)}\n`, 't: ***\n'],
    [
      'a private key',
      'k: |\n  -----BEGIN RSA PRIVATE KEY-----\n  h1\n  -----END RSA PRIVATE KEY-----\n',
      'k: |\n  ***\n',
    ],
    [
      'a template that does not parse',
      '{{- if .x }}\npassword: h1\na: 1\n{{- end }}\n',
      '{{- if .x }}\npassword: ***\na: 1\n{{- end }}\n',
    ],
    [
      'a Secret that does not parse',
      '{{- if .x }}\nkind: Secret\ndata:\n  a: h1\nb: 1\n',
      '{{- if .x }}\nkind: Secret\ndata:\n  ***\nb: 1\n',
    ],
  ])('masks %s', (_what, text, wanted) => {
    expect(maskYaml(text)).toBe(wanted);
  });

  it.each([
    'image: ghcr.io/acme/auth:v2.1.0\n',
    'image: auth:v2.1.0@sha256:0123456789abcdef\n',
    'url: oci://localhost:5000/charts/api:1.0@sha256:0123\n',
    'repo: ssh://git@github.com/acme/api\n',
    'volumes: [{name: v, secret: {secretName: tls}}]\n',
    'env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]\n',
    'automountServiceAccountToken: false\npassword: ""\ntoken:\n',
    'tokenTtl: 3600 # seconds\n',
    'a: docker run -u 1000:1000 -p 80:80 x\nb: [--user, "1000:1000", -p80]\nc: mysql -P 3306 --port=1\n',
    'secrets:\n- ../secrets/config/api/secrets.yaml\n',
  ])('leaves %j as it is', (text) => {
    expect(maskYaml(text)).toBe(text);
  });

  it('keeps masked JSON valid', () => {
    const masked = maskYaml(
      '{\n\t"a": {"password": "h1", "b": [1, {"token": "h3"}]},\n\t"url": "redis://u:h2@x"\n}',
    );
    expect(JSON.parse(masked)).toEqual({
      a: { password: '***', b: [1, { token: '***' }] },
      url: 'redis://***@x',
    });
  });

  it('masks secrets under hostile keys', () => {
    expect(maskYaml('__proto__:\n  password: h1\nconstructor: {token: h2}\n')).toBe(
      '__proto__:\n  password: ***\nconstructor: {token: ***}\n',
    );
  });
});

describe('maskLines', () => {
  it.each([
    ['.env', 'A=1\nPASSWORD=h1\nexport TOKEN="h1 h2" # c\n', 'A=1\nPASSWORD=***\nexport TOKEN=*** # c\n'],
    ['a value that begins with a slash', 'PASSWORD=/h1\n', 'PASSWORD=***\n'],
    ['quotes over several lines', 'PW="h1\nh2"\nA=1\n', 'PW=***\n***\nA=1\n'],
    ['a continued line', 'SECRET=h1\\\nh2\nA=1\n', 'SECRET=***\n***\nA=1\n'],
    ['properties', 'db.password : h1\ndb.user : me\n', 'db.password : ***\ndb.user : me\n'],
    ['JSON in a line', '{"password":"h1","user":"me"}', '{"password":***,"user":"me"}'],
    ['XML', '<password enc="x">h1</password>', '<password enc="x">***'],
    [
      'XML over several lines',
      '<password>\n  h1\n</password>\n<user>bob</user>',
      '<password>\n  ***\n</password>\n<user>bob</user>',
    ],
    [
      'XML that begins beside its name',
      '<password>h1\n  h2\n</password>\n<v>1</v>',
      '<password>***\n  ***\n</password>\n<v>1</v>',
    ],
    [
      'XML in CDATA',
      '<token><![CDATA[h1]]></token>\n<token>\n<![CDATA[h2\nh3]]>\n</token>\n<v>1</v>',
      '<token>***\n<token>\n***\n***\n</token>\n<v>1</v>',
    ],
    [
      'no XML that has elements in it',
      '<secrets>\n  <v>1</v>\n</secrets>\n<password />\nv',
      '<secrets>\n  <v>1</v>\n</secrets>\n<password />\nv',
    ],
    ['Jsonnet', '{ password:: "h1", v: 1 }', '{ password:: ***, v: 1 }'],
    [
      'a text of Jsonnet',
      '{ v: 1, secret: |||\n  h1\n  h2\n|||, }\nv: 2',
      '{ v: 1, secret: ***\n  ***\n  ***\n***\nv: 2',
    ],
    ['a command line', 'run --token h1', 'run --token ***'],
    ['a connection string', 'Server=x;Pwd=h1;A=2', 'Server=x;Pwd=***'],
    ['a query', 'https://x/y?token=h1', 'https://x/y?token=***'],
    ['netrc', 'machine h login me password h1', 'machine h login me password ***'],
    ['redis.conf', 'requirepass h1\nport 1\n', 'requirepass ***\nport 1\n'],
    ['a heredoc', 'token = <<EOF\nh1\nEOF\na = 1\n', 'token = ***\n***\n***\na = 1\n'],
    ['CRLF', 'PASSWORD=h1\r\nA=1\r\n', 'PASSWORD=***\r\nA=1\r\n'],
    ['a header', 'x: Bearer abcdefgh1\n', 'x: Bearer ***\n'],
    ['three quotes', 'token = """\nh1 "h2"\n"""\na = 1\n', 'token = ***\n***\n***\na = 1\n'],
    ['three quotes and a text', 'token = """h1\nh2"""\na = 1\n', 'token = ***\n***\na = 1\n'],
    ['three single quotes', "token = '''\nit's h1\n'''\na = 1\n", 'token = ***\n***\n***\na = 1\n'],
    ['a quote in quotes', "token: '''h1'\na: 1\n", 'token: ***\na: 1\n'],
    [
      'a Terraform variable',
      'variable "db_password" { default = "h1" }\nvariable "a" { default = "b" }\n',
      'variable "db_password" { default = *** }\nvariable "a" { default = "b" }\n',
    ],
    [
      'a long Terraform variable',
      `variable "db_password" {\n${'  x = 1\n'.repeat(9)}  default = "h1"\n}\ndefault = 2\n`,
      `variable "db_password" {\n${'  x = 1\n'.repeat(9)}  default = ***\n}\ndefault = 2\n`,
    ],
    ['a login', 'curl -u admin:h1 https://x', 'curl -u admin:***'],
    ['a long login', "curl --user 'admin:h1 h2' https://x", "curl --user 'admin:***"],
    ['a login behind an equals sign', 'curl --user=admin:h1', 'curl --user=admin:***'],
    ['a password behind a letter', 'mysql -h db -uroot -ph1 shop', 'mysql -h db -uroot -p***'],
    ['a password behind a flag', 'mysqldump --password=h1', 'mysqldump --password=***'],
    ['a password of Redis', 'redis-cli -h x -a h1 ping', 'redis-cli -h x -a ***'],
    ['a password of ssh', 'sshpass -p h1 ssh x', 'sshpass -p ***'],
    ['doubled quotes', `password: 'it''s h1' # c\n`, 'password: *** # c\n'],
  ])('masks %s', (_what, text, wanted) => {
    expect(maskLines(text)).toBe(wanted);
  });
});

describe('maskText', () => {
  it('goes by the kind of file', () => {
    expect(maskText('x: &a h1\npassword: *a\n', 'a.yaml')).toBe('x: &a ***\npassword: *a\n');
    expect(maskText('x: &a h1\npassword: *a\n', 'dir.d/values')).toBe('x: &a ***\npassword: *a\n');
    expect(maskText('PASSWORD=h1', 'prod.env')).toBe('PASSWORD=***');
    expect(maskText('PASSWORD=h1', '.env')).toBe('PASSWORD=***');
  });
});
