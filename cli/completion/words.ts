/**
 * A word of a command line as the program would get it: quotes and backslashes taken away, nothing expanded. The quote of a
 * word that is still being typed may be open.
 */
export function unquote(word: string): string {
  let plain = '';
  let quote = '';
  for (let at = 0; at < word.length; at += 1) {
    const character = word.charAt(at);
    const next = word.charAt(at + 1);
    if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
    else if (character === '\\' && quote !== "'" && (quote === '' || /["\\$`]/.test(next))) {
      plain += next;
      at += 1;
    } else plain += character;
  }
  return plain;
}
