/** How the demo and the tours print: titles, and commands as a user would type them. */
const color = process.stdout.isTTY && !process.env['NO_COLOR'];

/** For children, which print into a pipe. */
export const colorEnv = color ? {} : { NO_COLOR: '1' };

export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function title(text: string): void {
  say(`\n${paint('1;36', `━━ ${text} ${'━'.repeat(Math.max(0, 100 - text.length))}`)}\n`);
}

export function heading(text: string): void {
  say(`\n${paint('2', `── ${text}`)}`);
}

/** `jane$ backtrail --repo config plan "a b"`; quotes are for readers, not for every shell. */
export function typed(words: readonly string[], who = ''): void {
  const shown = words.map((word) => (/^[\w/@.:=,^{}~+-]+$/.test(word) ? word : JSON.stringify(word)));
  say(paint('1', `${who}$ ${shown.join(' ')}`));
}

function paint(code: string, text: string): string {
  return color ? `\u001b[${code}m${text}\u001b[0m` : text;
}
