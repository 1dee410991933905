/** Takes credentials out of a text that goes to a log or through the queue: those of URLs, and tokens of known forms. */
export function redact(text: string): string {
  return text
    .replace(/(:\/\/)(?:[^\s/"\\]|\\[^/])*@/g, '$1***@')
    .replace(/\b(gh[pousr]_|github_pat_|glpat-)[\w-]{10,}/g, '$1***')
    .replace(/\b(authorization\s*[:=]\s*"?)(?:(?:bearer|basic|token)\s+)?[^\s",]+/gi, '$1***');
}
