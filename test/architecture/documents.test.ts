import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const DECISIONS = 'docs/decisions';
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const pagesIn = (folder: string) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => (folder === '' ? name : `${folder}/${name}`));
const exists = (path: string) => existsSync(join(ROOT, path));
const RECORDS = pagesIn(DECISIONS).filter((path) => /\/\d{3}-[a-z0-9-]+\.md$/.test(path));
const PAGES = [...pagesIn(''), ...pagesIn('docs'), ...pagesIn(DECISIONS), ...pagesIn('.github')];

/** Paths of this repository that a page names in backticks. */
function named(text: string): string[] {
  const paths = /`((?:engine|workers|cli|scripts|test|fixtures-repo|docs|examples)\/[\w./-]*)`/g;
  return [...text.matchAll(paths)].map(([, path = '']) => path);
}

describe('documents', () => {
  it.each(['ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', ...RECORDS])(
    'name only paths that exist: %s',
    (page) => {
      expect(named(read(page)).filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    },
  );

  it('follow the code: ARCHITECTURE.md names the files of the walk', () => {
    expect(named(read('ARCHITECTURE.md')).length).toBeGreaterThan(40);
  });

  it('link only to pages and pictures that exist', () => {
    const broken = PAGES.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, link = '']) => link)
        .filter((link) => !/^[a-z]+:/.test(link) && !exists(join(dirname(page), link)))
        .map((link) => `${page} links to ${link}`),
    );
    expect(PAGES.length).toBeGreaterThan(40);
    expect(broken).toEqual([]);
  });

  it('link to headings that exist', () => {
    const anchors = (text: string) =>
      [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replace(/[^\p{L}\p{N} _-]/gu, '')
          .replaceAll(' ', '-'),
      );
    const broken = PAGES.flatMap((page) =>
      [...read(page).matchAll(/\]\(([^)#\s]*\.md)?#([^)]+)\)/g)]
        .map(([, link, anchor = '']) => ({ path: link ? join(dirname(page), link) : page, anchor }))
        .filter(({ path, anchor }) => !anchors(read(path)).includes(anchor))
        .map(({ path, anchor }) => `${page} links to ${path}#${anchor}`),
    );
    expect(broken).toEqual([]);
  });
});

const ROOMS = readdirSync(join(ROOT, 'engine'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => `engine/${name}`);

describe('the README of each room', () => {
  it.each([...ROOMS, 'engine/git/reader', 'workers', 'cli'])(
    'names only files that are there: %s',
    (room) => {
      const text = read(`${room}/README.md`);
      const files = [...text.matchAll(/`([\w./-]+\.ts|[\w-]+\/)`/g)].map(([, file = '']) => file);
      expect(files.length).toBeGreaterThan(0);
      const held = readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' });
      const isThere = (file: string) =>
        existsSync(join(ROOT, file)) ||
        existsSync(join(ROOT, room, file)) ||
        held.some((path) => [`/${path}`, `/${path}/`].some((own) => own.endsWith(`/${file}`)));
      expect(files.filter((file) => !isThere(file))).toEqual([]);
    },
  );
});

describe('decisions', () => {
  it('are numbered without a gap', () => {
    const numbers = RECORDS.map((path) => Number(path.slice(DECISIONS.length + 1, DECISIONS.length + 4)));
    expect(numbers).toEqual(RECORDS.map((_, index) => index + 1));
  });

  it.each(RECORDS)('say context, decision, rejected alternative and consequences: %s', (path) => {
    const text = read(path);
    const number = Number(path.slice(DECISIONS.length + 1, DECISIONS.length + 4));
    expect(text).toMatch(new RegExp(`^# ${number}\\. \\S`));
    const parts = text.split(/^## .*$/m).map((part) => part.trim());
    expect(text.match(/^## .*$/gm)).toEqual(['## Decision', '## Rejected alternative', '## Consequences']);
    expect(parts.every((part) => part.length > 20)).toBe(true);
  });

  it('are all listed in their index, by their titles', () => {
    const lines = RECORDS.map((path) => {
      const [, number = '', title = ''] = /^# (\d+)\. (.*)$/m.exec(read(path)) ?? [];
      return `${number}. [${title}](${path.slice(DECISIONS.length + 1)})`;
    });
    expect(read(`${DECISIONS}/README.md`).match(/^\d+\. .*$/gm)).toEqual(lines);
  });
});
