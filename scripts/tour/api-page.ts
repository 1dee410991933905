/** docs/api.md: the calls of the tour with their answers. */
import { answerOf, fence } from './page.ts';
import type { Shown } from './step.ts';

const HEAD = `# The API

\`backtrail serve\` answers for one repository over HTTP ([serving](serving.md) says who may call, [operating](operating.md) how it is run). \`GET /openapi.json\`
describes every call; this page shows the usual ones, as \`npm run tour:api\` makes them: it writes this page, and CI holds the page to it. \`$SERVER\` is the address that
\`serve\` prints; \`$JANE\` and \`$BOB\` are tokens of two people, and \`$ID\` and the like what an earlier answer gave. Of long answers a part is shown.

- Answers are the JSON that the command line prints with \`-o json\`; lists have \`next\`, which is the \`cursor\` of the next page.
- Whatever fails is a problem document (RFC 9457): match on \`code\`, show \`detail\` and \`hint\`. The codes are those of the command line.
- Bodies are JSON (\`Content-Type: application/json\`), with no names that are not known.
- \`approve\` and \`reject\` take \`comment\` and \`digest\`, \`cancel\` takes \`reason\`, \`notes\` takes \`text\`; \`retry\` takes nothing.
- The command line asks a server in place of a repository with \`--server URL --token-file FILE\`: same output, same exit codes.
`;

export function apiPage(shown: readonly Shown[]): string {
  const parts = shown.map((each) => {
    const { step, line } = each;
    const head = step.title === undefined ? '' : `\n## ${step.title}\n`;
    return `${head}\n${step.text}\n\n${fence('sh', line)}${answerOf(each)}`;
  });
  return `${HEAD}${parts.join('')}`;
}
