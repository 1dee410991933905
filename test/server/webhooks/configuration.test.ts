/** What the configuration says of webhooks, and how they are said: types, waits, a chat's text. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TRANSITIONS } from '../../../engine/index.ts';
import { parseServerConfiguration } from '../../../server/settings/configuration.ts';
import { readSinks } from '../../../server/settings/webhooks.ts';
import { backOff, retryAfter } from '../../../server/webhooks/back-off.ts';
import { EVENT_TYPES } from '../../../server/webhooks/event-types.ts';
import { slackBody } from '../../../server/webhooks/slack.ts';
import { temporaryFolder } from '../../helpers/repositories/repo.ts';
import { SECRET } from './scene.ts';

describe('the configuration', () => {
  const sink = (more: string) => `webhooks:\n  - { name: team, ${more} }\n`;
  const read = async (more: string, files: Record<string, string> = { secret: SECRET }, mode = 0o600) => {
    const folder = await temporaryFolder();
    for (const [name, text] of Object.entries(files))
      await writeFile(join(folder, name), `${text}\n`, { mode });
    const { webhooks } = parseServerConfiguration(sink(more), join(folder, 'server.yaml'));
    return readSinks(webhooks, folder);
  };

  it('is what docs/webhooks.md shows', async () => {
    const page = await readFile(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8');
    const [, example = ''] = /```yaml\n([^]*?)```/.exec(page) ?? [];
    const { webhooks } = parseServerConfiguration(example, 'server.yaml');
    expect(webhooks.map(({ name, from }) => [name, from])).toEqual([
      ['incidents', '2026-11-29T09:00:00Z'],
      ['on-call', undefined],
    ]);
    const described = [
      ...page.matchAll(/`((?:rollback|break_glass)\.[a-z]+|live|degraded|auto-rollback)`/g),
    ].map(([, type = '']) => type);
    expect(EVENT_TYPES.filter((type) => !described.includes(type))).toEqual([]);
  });

  it('has defaults, and takes an address that is a secret from a file', async () => {
    const [team] = await read('url: "https://hooks.example.com/x", secret: secret');
    expect(team).toMatchObject({
      secrets: [SECRET],
      format: 'standard',
      environments: ['**'],
      events: ['break_glass.*', 'rollback.failed', 'auto-rollback'],
      console: null,
      allowPrivate: false,
    });
    const files = { address: 'https://hooks.slack.example/T0/B0/xyz' };
    const [chat] = await read('url: { file: address }, format: slack, console: "https://b.example/"', files);
    expect(chat).toMatchObject({ url: files.address, secrets: [], console: 'https://b.example' });
  });

  it.each([
    'url: "https://a.example/"',
    'url: "https://a.example/", secret: secret, events: [rollback.finished]',
    'url: "https://a.example/", secret: secret, name2: x',
    'url: "https://a.example/", secret: secret, console: "https://a.example/?x=1"',
    'url: "https://a.example/", secret: secret, from: yesterday',
  ])('refuses %s', (text) => {
    expect(() => parseServerConfiguration(sink(text), 'server.yaml')).toThrow(/^server\.yaml:\d+:\d+: /);
  });

  it.each([
    'http://hooks.example.com/T0/B0/xyz',
    'http://127.0.0.1/T0/B0/xyz',
    'https://10.0.0.1/T0/B0/xyz',
    'https://0x7f.1/T0/B0/xyz',
    'https://[::ffff:169.254.169.254]/T0/B0/xyz',
    'https://jane:T0-B0-xyz@hooks.example.com/',
    'T0/B0/xyz',
  ])('refuses the address %s, without repeating it', async (url) => {
    const refused = read(`url: "${url}", secret: secret`).catch((error: unknown) => String(error));
    expect(await refused).toMatch(/The webhook team has an address/);
    expect(await refused).not.toContain('xyz');
  });

  it('refuses secrets that others may read, and those that are none, without repeating them', async () => {
    const text = 'url: "https://a.example/", secret: secret';
    await expect(read(text, { secret: SECRET }, 0o644)).rejects.toThrow(
      /may be read or written by other users/,
    );
    for (const bad of ['hunter2hunter2', 'whsec_c2hvcnQ=', `whsec_${'!'.repeat(40)}`]) {
      const refused = await read(text, { secret: bad }).catch((error: unknown) => String(error));
      expect(refused).toMatch(/has a secret that is not/);
      expect(refused).not.toContain(bad);
    }
  });
});

it('every event of a request has a type, and what is waited for grows up to a quarter of an hour', () => {
  const own = ['started', 'inspected'];
  const events = ['opened', ...Object.keys(TRANSITIONS)].filter((event) => !own.includes(event));
  const types = EVENT_TYPES.filter((type) => type.startsWith('rollback.'));
  expect(new Set(types)).toEqual(new Set(events.map((event) => `rollback.${event}`)));
  const waits = [1, 2, 3, 9, 10, 5000].map((failures) => backOff(failures, () => 0) / 1000);
  expect(waits).toEqual([2, 4, 8, 512, 900, 900]);
  expect(backOff(1, () => 0.999)).toBeGreaterThan(1000);
  const now = Date.parse('2026-11-29T10:00:00Z');
  const asked = ['120', '0', undefined, 'soon', '999999', 'Sun, 29 Nov 2026 10:01:00 GMT'];
  expect(asked.map((header) => retryAfter(header, now))).toEqual([
    120_000,
    null,
    null,
    null,
    3_600_000,
    60_000,
  ]);
});

it('a chat shows what people wrote as plain text, cut, and calls nobody', () => {
  const evil = `<!channel> <https://evil.example|ok> *bold* @here \u202Etxt\n${'x'.repeat(2000)}`;
  const bodyOf = (justification: string) =>
    slackBody(
      {
        type: 'break_glass.opened',
        id: 'x',
        of: 'x',
        at: '2026-11-29T10:00:00Z',
        environment: { environment: '<!here>' },
        scope: '<!here>',
        data: {
          session: {
            id: 'bgs-01KAAAAAAAAAAAAAAAAAAAAAAA',
            scope: '<!here>',
            holder: { name: evil, email: 'x' },
            justification,
            ticket: null,
            openedAt: '2026-11-29T10:00:00Z',
            expiresAt: '2026-11-29T11:00:00Z',
            closed: null,
          },
        },
      },
      'https://backtrail.example.com/requests/x?a=1&b=2',
    );
  const body = bodyOf(evil);
  expect(body.text).toBe('Break-glass session opened: &lt;!here&gt;');
  const text = JSON.stringify(body.blocks);
  expect(text).not.toMatch(/@here|\u202E|<!|<https:..evil/);
  expect(text.length).toBeLessThan(2000);
  const formatted = body.blocks.filter((block) => JSON.stringify(block).includes('mrkdwn'));
  expect(formatted).toEqual([
    {
      type: 'section',
      text: {
        type: 'mrkdwn',
        text: '<https://backtrail.example.com/requests/x?a=1&amp;b=2|Open the request>',
      },
    },
  ]);
  // Slack refuses a section of more than 3,000 characters, of which an ampersand takes five.
  const [, details] = bodyOf('&'.repeat(4000)).blocks;
  expect(JSON.stringify(details).length).toBeLessThan(1000);
});
