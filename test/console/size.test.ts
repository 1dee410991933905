/** What a browser loads before it shows anything. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtConsole } from '../helpers/program/browser.ts';

let folder: string;
let index: string;
beforeAll(async () => {
  folder = await builtConsole();
  index = await readFile(join(folder, 'index.html'), 'utf8');
});

const sizeOf = async (name: string) => gzipSync(await readFile(join(folder, name)), { level: 9 }).length;

describe('the page as it is built', () => {
  it('loads at most 40 kB of scripts and 15 kB of styles first', async () => {
    const named = (pattern: RegExp) => [...index.matchAll(pattern)].map(([, name = '']) => name);
    const scripts = named(/(?:src|modulepreload[^>]*href)="\/([^"]+\.js)"/g);
    const styles = named(/href="\/([^"]+\.css)"/g);
    const sum = async (names: readonly string[]) =>
      (await Promise.all(names.map(sizeOf))).reduce((all, one) => all + one, 0);
    expect(scripts).not.toHaveLength(0);
    expect(await sum(scripts)).toBeLessThan(40_000);
    expect(styles).toHaveLength(1);
    expect(await sum(styles)).toBeLessThan(15_000);
  });

  it('has nothing inline, nothing of another origin, and no way from text to markup', async () => {
    expect(index).not.toMatch(/<style|\son\w+=|<script(?![^>]*\ssrc=)|(?:src|href)="(?!\/)/);
    for (const name of await readdir(join(folder, 'assets'))) {
      const text = await readFile(join(folder, 'assets', name), 'utf8');
      // Namespaces, and where a message of preact-iso says more: nobody asks them.
      const others = text
        .match(/https?:\/\/[\w.-]+/g)
        ?.filter((url) => !/^https?:\/\/(www\.w3\.org|github\.com)$/.test(url));
      expect([name, others ?? []]).toEqual([name, []]);
      expect([name, /\beval\(|new Function|document\.write/.test(text)]).toEqual([name, false]);
    }
  });
});
