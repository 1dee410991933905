/** The section `holds` of the configuration. */
import * as z from 'zod';
import { showProblem } from './text-rules.ts';

const line = (longest: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(longest)
    .regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, 'It must be one line of printable characters.');

const field = z
  .string()
  .min(1)
  .max(512)
  .superRefine((value, context) => {
    const message = showProblem(value);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });

export const holdsSchema = z.strictObject({
  bots: z
    .array(line(320))
    .max(100)
    .optional()
    .meta({
      description:
        'Emails or names of authors that are automation; `*` matches any characters. `guard` lets none of them lift a hold, and a plan that undoes a commit of one names `--hold`.',
      example: ['flux@example.com', '*[bot]'],
    }),
  set: z
    .array(
      z.strictObject({
        field: field.meta({
          description: 'The key: `path#selector`, or `#selector` in any file of the scope.',
          example: '**/service.yaml#/automatic_deploys_enabled',
        }),
        value: z.union([z.boolean(), z.number(), line(200)]).meta({
          description: 'What switches automation off.',
          example: false,
        }),
      }),
    )
    .max(50)
    .optional()
    .meta({
      description:
        'Keys that a hold sets, and a resume sets back. Only keys that exist in a file of the scope are set.',
    }),
  sources: z
    .array(line(500))
    .max(20)
    .optional()
    .meta({
      description:
        "Addresses of this repository, as Argo CD's and Flux's Git sources name it: a hold pins those of the scope that follow its branch. Compared without scheme, user, default port and `.git`.",
      example: ['git.example.com/acme/config'],
    }),
});
