/**
 * `npm run tour:api`: a server with a worker in its process, and two people who call it as docs/api.md says. Every answer is a real one, and every
 * claim is checked. It ends by comparing docs/api.md with what was asked and answered; `--write` writes the page anew.
 */
import { apiPage } from './tour/api-page.ts';
import { STEPS } from './tour/api-steps.ts';
import { holdPage } from './tour/page.ts';
import { onTour, withServer } from './tour/served.ts';
import { type Shown, take } from './tour/step.ts';

await onTour('tour:api', {
  done: 'Every call was answered as docs/api.md says.',
  run: (start) =>
    withServer(start, 'tokens: true\n', async (scene, served) => {
      const shown: Shown[] = [];
      const taking = { ...served, scene, kept: new Map<string, string>() };
      for (const step of STEPS) shown.push(await take(step, taking));
      holdPage('docs/api.md', apiPage(shown), 'npm run docs:api');
    }),
});
