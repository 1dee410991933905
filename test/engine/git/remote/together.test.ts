import { describe, expect, it } from 'vitest';
import { together } from '../../../../engine/git/remote/together.ts';

/** Work whose runs end when they are told to. */
function runs() {
  const begun: { end(value: string): void; fail(): void }[] = [];
  const ask = together(
    () =>
      new Promise<string>((resolve, reject) =>
        begun.push({ end: resolve, fail: () => reject(new Error('It failed.')) }),
      ),
  );
  return { begun, ask };
}

const soon = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('work that is done together', () => {
  it('is done once for all who ask while it is under way, after they asked', async () => {
    const { begun, ask } = runs();
    const first = ask();
    const later = [ask(), ask(), ask()];
    expect(begun).toHaveLength(1);
    begun[0]?.end('old');
    expect(await first).toBe('old');
    await soon();
    expect(begun).toHaveLength(2);
    begun[1]?.end('new');
    expect(await Promise.all(later)).toEqual(['new', 'new', 'new']);
  });

  it('is done anew for whoever asks when nothing is under way', async () => {
    const { begun, ask } = runs();
    for (const value of ['one', 'two']) {
      const asked = ask();
      begun.at(-1)?.end(value);
      expect(await asked).toBe(value);
      await soon();
    }
    expect(begun).toHaveLength(2);
  });

  it('fails for those whose run failed, and for no others', async () => {
    const { begun, ask } = runs();
    const first = ask();
    const second = ask();
    begun[0]?.fail();
    await expect(first).rejects.toThrow('It failed.');
    await soon();
    begun[1]?.end('well');
    expect(await second).toBe('well');
  });
});
