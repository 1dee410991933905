/** Text of a repository or a program for a message: one line, without credentials, shortened. */
export function cleanText(text: string, limit = 200): string {
  const line = text
    .replace(/:\/\/[^\s/?#]*@/g, '://')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return line.length > limit ? `${line.slice(0, limit)}…` : line;
}
