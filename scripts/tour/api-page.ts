/** docs/api.md: the calls of the tour with their answers. Ids, times and the like are another every time, and stand as `…`. */
import type { Step } from './api-steps.ts';

export interface Shown {
  readonly step: Step;
  readonly line: string;
  readonly status: number;
  /** JSON, or the text of events. */
  readonly answer: unknown;
}

const HEAD = `# The API

\`backtrail serve\` answers for one repository over HTTP ([serving](serving.md) says who may call, [operating](operating.md) how it is run). \`GET /openapi.json\`
describes every call; this page shows the usual ones, as \`npm run tour:api\` makes them: it writes this page, and CI holds the page to it. \`$SERVER\` is the address that
\`serve\` prints; \`$JANE\` and \`$BOB\` are tokens of two people, and \`$ID\` and the like what an earlier answer gave. Of long answers a part is shown.

- Answers are the JSON that the command line prints with \`-o json\`; lists have \`next\`, which is the \`cursor\` of the next page.
- Whatever fails is a problem document (RFC 9457): match on \`code\`, show \`detail\` and \`hint\`. The codes are those of the command line.
- Bodies are JSON (\`Content-Type: application/json\`), with no names that are not known.
- The command line asks a server in place of a repository with \`--server URL --token-file FILE\`: same output, same exit codes.
`;

export function apiPage(shown: readonly Shown[]): string {
  const parts = shown.map(({ step, line, status, answer }) => {
    const head = step.title === undefined ? '' : `\n## ${step.title}\n`;
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2);
    return `${head}\n${step.text}\n\n\`\`\`sh\n${line}\n\`\`\`\n\`\`\`${typeof answer === 'string' ? '' : 'json'}\n${status === 200 && typeof answer === 'string' ? '' : `// ${status}\n`}${withoutPassing(text)}\n\`\`\`\n`;
  });
  return `${HEAD}${parts.join('')}`;
}

/** Without what is another one every time. */
function withoutPassing(text: string): string {
  return text
    .replace(/\b(rbk|dep|bgs|evt)-[0-9A-HJKMNP-TV-Z]{26}\b/g, '$1-…')
    .replace(/file:\/\/\S+?\/config\.git/g, 'file://…/config.git')
    .replace(/"by":"[a-z0-9]{16}"/g, '"by":"…"')
    .replace(/sha256:[0-9a-f]{64}/g, 'sha256:…')
    .replace(/\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b/g, '…')
    .replace(/\b[0-9a-f]{7,10}(?=\)| of\b)/g, '…')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '…');
}
