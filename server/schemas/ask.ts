/** A rollback as it is asked for. */
import { z } from 'zod';
import { BacktrailError, type PlanAsk } from '../../engine/index.ts';
import { environmentName, mode, serviceName } from './names.ts';

/** What a plan is asked for with. */
export const planAsk = z.strictObject({
  tenant: z.string().min(1).max(255).nullish().describe('null, absent or `-`: no tenant.'),
  environment: environmentName,
  mode: mode
    .nullish()
    .describe('Where absent: `field` with selectedFields, `service` with a service, else `full`.'),
  service: serviceName.nullish(),
  selectedFields: z.array(z.string().max(1024)).max(1000).nullish(),
  targetSha: z
    .string()
    .max(255)
    .nullish()
    .describe('A revision: a commit id, `v12`, `previous`, `@2h`, a tag.'),
  target: z
    .string()
    .max(255)
    .nullish()
    .describe('The same under another name. Where both are given, they have to be the same text.'),
  wholeFile: z.boolean().nullish(),
  allowRemoval: z.boolean().nullish(),
  override: z
    .array(z.string().max(64))
    .max(32)
    .nullish()
    .describe('Codes of checks that are to let it go ahead.'),
  hold: z.boolean().nullish(),
  holdFor: z.string().max(16).nullish().describe('As `12h` or `7d`.'),
  propose: z
    .boolean()
    .nullish()
    .describe('To be decided on by a person: it needs an approval also where no policy asks for one.'),
  resume: z
    .boolean()
    .optional()
    .describe('Lift the holds of the scope, or of the fields, in place of a rollback; it takes no target.'),
});

/** @throws TARGET_REQUIRED, FIELDS_REQUIRED, INVALID_REQUEST where the mode is not that of the names */
export function toPlanAsk(body: z.output<typeof planAsk>): PlanAsk {
  const { tenant, environment, service, selectedFields, targetSha, target } = body;
  const [to = '', other = to] = [targetSha, target].flatMap((each) => each?.trim() || []);
  if (to !== other)
    throw new BacktrailError('INVALID_REQUEST', '`targetSha` and `target` name two revisions.', {
      hint: 'Give one of them.',
    });
  if (body.resume === true && to !== '')
    throw new BacktrailError('INVALID_REQUEST', 'A resume returns to no revision: it takes no target.');
  // Prescribed word for word.
  if (to === '' && body.resume !== true) throw new BacktrailError('TARGET_REQUIRED', 'targetSha is required');
  const fields = selectedFields ?? [];
  const wanted = body.mode ?? (fields.length > 0 ? 'field' : service ? 'service' : 'full');
  if (wanted === 'field' && (fields.length === 0 || fields.some((field) => field.trim() === '')))
    throw new BacktrailError('FIELDS_REQUIRED', 'selected fields cannot be empty for field mode');
  const misfit = misfitOf(wanted, { service: service ?? undefined, fields });
  if (misfit !== null) throw new BacktrailError('INVALID_REQUEST', misfit);
  return {
    scope: {
      ...(tenant && tenant !== '-' && { tenant }),
      environment,
      ...(service && { service }),
    },
    ...(to !== '' && { to }),
    ...(body.resume === true && { resume: true }),
    ...(fields.length > 0 && { fields }),
    ...toOptions(body),
  };
}

/** With what else a rollback may be asked for. */
export const rollbackOptions = planAsk.pick({
  wholeFile: true,
  allowRemoval: true,
  override: true,
  hold: true,
  holdFor: true,
  propose: true,
}).shape;

export function toOptions({
  wholeFile,
  allowRemoval,
  override,
  hold,
  holdFor,
  propose,
}: z.output<z.ZodObject<typeof rollbackOptions>>): Omit<PlanAsk, 'scope'> {
  return {
    ...(typeof wholeFile === 'boolean' && { wholeFile }),
    ...(typeof allowRemoval === 'boolean' && { allowRemoval }),
    ...(override && { override }),
    ...(typeof hold === 'boolean' && { hold }),
    ...(typeof holdFor === 'string' && { holdFor }),
    ...(propose === true && { propose }),
  };
}

function misfitOf(
  wanted: z.output<typeof mode>,
  { service, fields }: { readonly service: string | undefined; readonly fields: readonly string[] },
): string | null {
  if (wanted !== 'field' && fields.length > 0) return `Mode ${wanted} takes no selectedFields.`;
  if (wanted === 'full' && service !== undefined) return 'Mode full takes no service.';
  if (wanted === 'service' && service === undefined) return 'Mode service needs a service.';
  return null;
}
