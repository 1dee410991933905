import { describe, expect, it } from 'vitest';
import { restore, works } from './restore.ts';

const service = 'kind: Service\nmetadata: {name: api}\nspec: {port: 1}\n';
const deployment = (replicas: number) =>
  `kind: Deployment\nmetadata: {name: api}\nspec: {replicas: ${replicas}}\n`;
describe('restoring documents', () => {
  works([
    [
      'matches them by kind and name',
      `${service}---\n${deployment(3)}`,
      `${deployment(2)}---\n${service}`,
      '[kind=Deployment]/spec/replicas',
      `${service}---\n${deployment(2)}`,
    ],
    [
      'restores a whole one',
      `${service}---\n${deployment(3)}`,
      deployment(2),
      '[kind=Deployment,metadata.name=api]',
      `${service}---\n${deployment(2)}`,
    ],
    [
      'restores all of them',
      `# top\n${service}---\n${deployment(3)}`,
      `${service}---\n${deployment(2)}`,
      '',
      `# top\n${service}---\n${deployment(2)}`,
    ],
  ]);
});

describe('adding and removing whole documents', () => {
  const SELECTOR = '[kind=Deployment,metadata.name=api]';
  const last = 'kind: Job\nmetadata: {name: z}\n';
  works([
    [
      'adds one behind its neighbour',
      `${service}---\n${last}`,
      `${service}---\n${deployment(2)}---\n${last}`,
      SELECTOR,
      `${service}---\n${deployment(2)}---\n${last}`,
    ],
    [
      'adds one to a single document',
      service,
      `${service}---\n# own\n${deployment(2)}`,
      SELECTOR,
      `${service}---\n# own\n${deployment(2)}`,
    ],
    [
      'adds one at the end, with its own mark',
      `---\n${service}`,
      `---\n${service}--- # d\n${deployment(2)}`,
      SELECTOR,
      `---\n${service}--- # d\n${deployment(2)}`,
    ],
    [
      'adds one before the first, without a mark',
      service,
      `${deployment(2)}---\n${service}`,
      SELECTOR,
      `${deployment(2)}---\n${service}`,
    ],
    [
      'adds one before the first, with a mark',
      `---\n${service}`,
      `${deployment(2)}---\n${service}`,
      SELECTOR,
      `---\n${deployment(2)}---\n${service}`,
    ],
    [
      'adds one below what stands above all',
      `# top\n${service}`,
      `# top\n${deployment(2)}---\n${service}`,
      SELECTOR,
      `# top\n${deployment(2)}---\n${service}`,
    ],
    [
      'gives an added one the line ends of the file',
      service.replaceAll('\n', '\r\n'),
      `${service}---\n${deployment(2)}`,
      SELECTOR,
      `${service}---\n${deployment(2)}`.replaceAll('\n', '\r\n'),
    ],
    [
      'keeps a final newline missing',
      service.trimEnd(),
      `${service}---\n${deployment(2)}`,
      SELECTOR,
      `${service}---\n${deployment(2)}`.trimEnd(),
    ],
    [
      'keeps a byte order mark before an added first one',
      `\uFEFF${service}`,
      `${deployment(2)}---\n${service}`,
      SELECTOR,
      `\uFEFF${deployment(2)}---\n${service}`,
    ],
    ['removes the last one', `${service}---\n${deployment(2)}`, service, SELECTOR, service],
    [
      'removes one in the middle, with what belongs to it',
      `${service}---\n# d\n${deployment(2)}\n--- # z\n${last}`,
      `${service}---\n${last}`,
      SELECTOR,
      `${service}--- # z\n${last}`,
    ],
    [
      'removes the first one, with the mark that follows',
      `${deployment(2)}---\n${service}`,
      service,
      SELECTOR,
      service,
    ],
    [
      'leaves what stands above all',
      `# top\n${deployment(2)}---\n${service}`,
      `# top\n${service}`,
      SELECTOR,
      `# top\n${service}`,
    ],
    [
      'leaves empty documents alone',
      `---\n---\n${deployment(2)}---\n${service}---\n`,
      service,
      SELECTOR,
      `---\n---\n${service}---\n`,
    ],
    [
      'does not take a --- within a text for a mark',
      `${service}text: |\n  ---\n  a\n---\n${deployment(2)}`,
      service,
      SELECTOR,
      `${service}text: |\n  ---\n  a\n`,
    ],
    [
      'restores a file that gained one and lost another',
      `${service}---\n${deployment(3)}`,
      `${deployment(2)}---\n${last}`,
      '',
      `${deployment(2)}---\n${last}`,
    ],
  ]);

  it('comes back byte for byte when it is removed and added again', () => {
    const text = `# top\n${service}---\n# d\n${deployment(2)}\n--- # z\n${last}`;
    for (const selector of ['[kind=Service]', SELECTOR, '[kind=Job]']) {
      const without = restore(
        text,
        text.replace(new RegExp(`kind: ${/kind=(\w+)/.exec(selector)?.[1]}`), 'kind: X'),
        selector,
      );
      expect(without).toMatchObject({ ok: true, changed: true });
      expect(restore(without.ok ? without.text : '', text, selector)).toMatchObject({ ok: true, text });
    }
  });
});
