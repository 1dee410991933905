import { mkdtempSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHosts, readHosts, readToken } from '../../../engine/hosts/operator.ts';
import { isFailure } from '../../../engine/model/index.ts';

const temporaryFolder = () => mkdtempSync(join(tmpdir(), 'hosts-'));

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (isFailure(error)) return `${error.code} ${error.message} ${error.hint}`;
    throw error;
  }
  throw new Error('It is not refused.');
}

function outcome(source: string): string {
  try {
    return parseHosts(source, '/') instanceof Map ? 'a map' : 'nothing';
  } catch (error) {
    return isFailure(error) ? error.code : String(error);
  }
}

describe("the operator's file", () => {
  it('names hosts with their kind, the address of their interface and where their token is', () => {
    const hosts = parseHosts(
      `
github.com: { token: secrets/github }
GitHub.Example.com:8443: { kind: github, app: 1234:key.pem }
"git.example.com": { kind: gitea, api: https://git.example.com/sub/api/v1/, token: /run/token }
127.0.0.1:3000: { kind: gitlab, api: http://127.0.0.1:3000/api/v4, token: ../token, repositories: [Acme/Config] }
other.example.com: { token: t }
`,
      '/etc/backtrail',
    );
    expect([...hosts.values()]).toEqual([
      {
        name: 'github.com',
        kind: 'github',
        api: null,
        repositories: [],
        credentials: { kind: 'token', file: '/etc/backtrail/secrets/github' },
      },
      {
        name: 'github.example.com:8443',
        kind: 'github',
        api: null,
        repositories: [],
        credentials: { kind: 'app', id: '1234', keyFile: '/etc/backtrail/key.pem' },
      },
      {
        name: 'git.example.com',
        kind: 'gitea',
        api: 'https://git.example.com/sub/api/v1',
        repositories: [],
        credentials: { kind: 'token', file: '/run/token' },
      },
      {
        name: '127.0.0.1:3000',
        kind: 'gitlab',
        api: 'http://127.0.0.1:3000/api/v4',
        repositories: ['acme/config'],
        credentials: { kind: 'token', file: '/etc/token' },
      },
      {
        name: 'other.example.com',
        kind: null,
        api: null,
        repositories: [],
        credentials: { kind: 'token', file: '/etc/backtrail/t' },
      },
    ]);
  });

  it.each([
    ['a list', '- github.com'],
    ['text', 'github.com'],
    ['what is no YAML', 'github.com: {'],
    ['nothing of a host', 'github.com:'],
    ['a key that is not known', 'github.com: { token: t, insecure: true }'],
    ['a kind that is not known', 'github.com: { kind: bitbucket, token: t }'],
    ['no token', 'github.com: { kind: github }'],
    ['a token and an app', 'github.com: { token: t, app: 1:k }'],
    ['an app that is not ID:KEYFILE', 'github.com: { app: key.pem }'],
    ['an app of GitLab', 'gitlab.com: { app: 1:k }'],
    ['an app of a host whose kind is not known', 'git.example.com: { app: 1:k }'],
    ['an address in place of a name', 'https://github.com: { token: t }'],
    ['a path in the name', 'github.com/acme: { token: t }'],
    ['a user in the name', 'git@github.com: { token: t }'],
    ['another alphabet', 'gіthub.com: { token: t }'],
    ['a pattern', '"*.example.com": { kind: github, token: t }'],
    ['one host twice', 'github.com: { token: t }\nGITHUB.com: { token: t }'],
    ['one key twice', 'github.com: { token: t, token: u }'],
    ['an interface over http', 'github.com: { api: http://api.github.com, token: t }'],
    ['an interface that only looks like loopback', 'a.b: { kind: gitea, api: http://127.0.0.1.b, token: t }'],
    ['a user in the interface', 'github.com: { api: https://me@api.github.com, token: t }'],
    ['a query in the interface', 'github.com: { api: "https://api.github.com?x", token: t }'],
    ['a script in the interface', 'github.com: { api: "javascript:alert(1)", token: t }'],
    ['a file in the interface', 'github.com: { api: "file:///etc", token: t }'],
    ['a number for a token', 'github.com: { token: 12 }'],
    ['aliases without end', 'a: &a [*a, *a]\nb: { <<: *a }'],
  ])('is refused where it has %s', (_, text) => {
    expect(refusal(() => parseHosts(text, '/'))).toMatch(
      /^INVALID_REQUEST The file that BACKTRAIL_HOSTS names [^\n]*\. Write it as YAML/,
    );
  });

  it('says where it is wrong, and never more than a line of it', () => {
    expect(refusal(() => parseHosts('github.com: { token: t, x: 1 }', '/'))).toContain('x of github.com');
    expect(refusal(() => parseHosts('a.b: {}\nc.d: { kind: 3 }', '/'))).toContain('c.d.kind');
    const long = refusal(() => parseHosts(`"${'x\u001b'.repeat(5000)}": {}`, '/'));
    expect(long.length).toBeLessThan(700);
    expect(long).not.toContain('\u001b');
  });

  it('gives a map or INVALID_REQUEST, whatever it holds', () => {
    const text = fc.string({
      unit: fc.constantFrom(...Array.from('ab.:{}[]"\'&*!-?|>%@`,#\n 1'), 'token', 'kind'),
    });
    fc.assert(
      fc.property(text, (source) => {
        expect(['a map', 'INVALID_REQUEST']).toContain(outcome(source));
      }),
    );
  });

  it('is refused where it is not there, or too large', async () => {
    const folder = temporaryFolder();
    await expect(readHosts(join(folder, 'none'))).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await writeFile(join(folder, 'large'), '#'.repeat(300 * 1024));
    await expect(readHosts(join(folder, 'large'))).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await writeFile(join(folder, 'hosts'), 'github.com: { token: t }');
    expect((await readHosts(join(folder, 'hosts'))).get('github.com')?.credentials).toEqual({
      kind: 'token',
      file: join(folder, 't'),
    });
  });
});

describe('a file with a token', () => {
  it('is read without the line that ends it', async () => {
    const file = join(temporaryFolder(), 'token');
    await writeFile(file, '  ghp_secret \r\n');
    expect(await readToken('github.com', file)).toBe('ghp_secret');
  });

  it.each([
    '',
    '\n',
    'ghp_secret and more',
    'ghp_secret\r\nx-other: 1',
    'ghp_secr\u00e9t',
    'ghp_secret'.repeat(9999),
  ])('is refused where it holds %j, and what it holds is not shown', async (content) => {
    const file = join(temporaryFolder(), 'token');
    await writeFile(file, content);
    const error: unknown = await readToken('github.com', file).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(String(error)).not.toContain('ghp_');
  });
});
