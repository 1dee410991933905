import { describe, expect, it } from 'vitest';
import { progressLine, progressNotes, progressText, waitingLine } from '../../../cli/terminal/progress.ts';

function terminal(columns = 60) {
  const written: string[] = [];
  let time = 0;
  const stream = { columns, write: (text: string) => written.push(text) };
  return { written, draw: progressLine(stream, () => time), pass: (ms: number) => (time += ms) };
}

const receiving = (percent: number) => ({ phase: 'receiving', percent, objects: percent }) as const;

describe('the line of progress', () => {
  it('shows what git does, how far it is and how fast', () => {
    expect(progressText({ ...receiving(45), amount: '1.20 MiB | 3.40 MiB/s' })).toBe(
      '  █████████░░░░░░░░░░░  45 %  receiving objects  1.20 MiB, 3.40 MiB/s',
    );
    expect(progressText({ phase: 'asking', percent: null, objects: 0, amount: '12 s' })).toBe(
      '  waiting for the remote  12 s',
    );
    expect(progressText({ phase: 'counting', percent: null, objects: 7 })).toBe(
      '  7  the remote counts objects',
    );
  });

  it('stays away while a fetch is short', () => {
    const { written, draw, pass } = terminal();
    draw(receiving(1));
    pass(700);
    draw(receiving(99));
    draw(null);
    expect(written).toEqual([]);
  });

  it('is drawn over itself, not too often, never wider than the terminal, and wiped at the end', () => {
    const { written, draw, pass } = terminal(20);
    draw(receiving(1));
    pass(900);
    draw(receiving(40));
    pass(10);
    draw(receiving(41));
    pass(200);
    draw(receiving(60));
    draw(null);
    draw(null);
    expect(written).toEqual(['\r  ████████░░░░░░░░░\u001b[K', '\r  ████████████░░░░░\u001b[K', '\r\u001b[K']);
  });

  it('is there at once for what is told of only after a second', () => {
    const { written, draw } = terminal();
    draw({ phase: 'locked', percent: null, objects: 0, amount: '1 s' });
    expect(written).toEqual(['\r  waiting for another process that fetches  1 s\u001b[K']);
  });
});

describe('where there is no terminal', () => {
  it('a line of its own says now and then what is waited for', () => {
    const written: string[] = [];
    let time = 0;
    const note = progressNotes({ write: (text) => written.push(text) }, () => time);
    for (let second = 1; second <= 65; second += 1) {
      time = 1000 * second;
      note({ phase: 'locked', percent: null, objects: 0, amount: `${second} s` });
    }
    note(null);
    time += 1000;
    note(receiving(1));
    expect(written).toEqual([
      'waiting for another process that fetches  31 s\n',
      'waiting for another process that fetches  61 s\n',
    ]);
  });
});

describe('a line of what is waited for', () => {
  it('stands in the place of the one before, fits, and goes when it is over', () => {
    const written: string[] = [];
    const line = waitingLine({ write: (text) => written.push(text), columns: 20 });
    line('progressing');
    line(`degraded \u001b[2J\n${'x'.repeat(100)}`);
    line(null);
    expect(written).toEqual(['\r  progressing\u001b[K', '\r  degraded \ufffd[2J xxx\u001b[K', '\r\u001b[K']);
  });
});
