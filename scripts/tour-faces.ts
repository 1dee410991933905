/**
 * `npm run tour:faces`: one server, called through each of its faces with that face's own client. It ends by comparing docs/faces.md with what was
 * asked and answered; `--write` writes the page anew.
 */
import { title } from './narrate.ts';
import { FACES } from './tour/faces/all.ts';
import { faceText, type Prepared, stageOf } from './tour/faces/face.ts';
import { holdPage } from './tour/page.ts';
import { onTour, withServer } from './tour/served.ts';

const HEAD = `# Familiar faces

Pipelines and assistants already speak to something. \`backtrail serve\` answers them in those forms as well: each face translates to the calls of
[the API](api.md), and has no rule of its own. Callers, permissions, approvals, checks and records are the same, and so are failures, unless a face says otherwise.
This page shows each call beside the one that it translates to, as \`npm run tour:faces\` makes them: it writes this page, and CI holds the page to it.
\`$SERVER\`, \`$JANE\` and \`$BOB\` are as in [the API](api.md). Of long answers a part is shown.
`;

await onTour('tour:faces', {
  done: 'Every face answered as docs/faces.md says.',
  run: async (start) => {
    const prepared: Prepared[] = [];
    for (const face of FACES) if (face.prepare) prepared.push(await face.prepare(start.folder));
    const configuration = prepared.map((each) => each.configuration).join('');
    const parts: string[] = [];
    try {
      await withServer(start, `tokens: true\n${configuration}`, async (scene, served) => {
        for (const face of FACES) {
          title(face.title);
          parts.push(faceText(face, await face.run(stageOf(scene, served))));
        }
      });
    } finally {
      for (const each of prepared) await each.close?.();
    }
    holdPage('docs/faces.md', `${HEAD}${parts.join('')}`, 'npm run docs:faces');
  },
});
