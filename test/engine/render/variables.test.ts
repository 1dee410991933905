import { describe, expect, it } from 'vitest';
import { contentOf, documentsOf, failureOf, FOLDER } from '../../helpers/trees/deliver.ts';

const show = (text: string) => ({ 'm.yaml': `apiVersion: v1\nkind: X\nshown: ${JSON.stringify(text)}\n` });

async function shown(text: string, files: Record<string, string> = {}): Promise<unknown> {
  const [document] = documentsOf(await contentOf({ ...show(text), ...files }));
  return document;
}

describe('the variables of a service', () => {
  it('come from the environment, then from the service, then from its own folder', async () => {
    const files = {
      '../../variables.yaml':
        'variables: { A: env, B: env, C: env, D: env }\nservices:\n  api: { B: svc, C: svc }\n  other: { A: no, D: no }\n',
      'variables.yaml': 'variables: { C: own, E: own }\n',
    };
    expect(await shown('${A} ${B} ${C} ${D} ${E}', files)).toMatchObject({ shown: 'env svc own env own' });
  });

  it('let the later of two files of an environment win, but not over the service', async () => {
    const files = {
      '../../variables.yaml': 'variables: { A: 1, B: 1 }\nservices: { api: { B: service } }\n',
      '../../zone/variables.yaml': 'variables: { A: 2, B: 2 }\n',
    };
    const paths = ['tenants/acme/production/variables.yaml', 'tenants/acme/production/zone/variables.yaml'];
    const content = await contentOf({ ...show('${A} ${B}'), ...files }, { variableFiles: paths });
    expect(documentsOf(content)).toMatchObject([{ shown: '2 service' }]);
  });

  it('include the coordinates, which a file may say otherwise', async () => {
    expect(await shown('${TENANT}/${ENVIRONMENT}/${SERVICE}')).toMatchObject({
      shown: 'acme/production/api',
    });
    const files = { '../../variables.yaml': 'variables: { ENVIRONMENT: prod }\n' };
    expect(await shown('${ENVIRONMENT}', files)).toMatchObject({ shown: 'prod' });
  });

  it('keep the text of a number', async () => {
    const files = { '../../variables.yaml': 'variables: { V: 1.10, N: 007, B: yes }\n' };
    expect(await shown('v${V}-${N}-${B}', files)).toMatchObject({ shown: 'v1.10-007-yes' });
  });

  it('may be missing altogether, or have empty sections', async () => {
    expect(await shown('x', { '../../variables.yaml': '' })).toMatchObject({ shown: 'x' });
    expect(
      await shown('x', { '../../variables.yaml': 'variables:\nservices:\n  api:\nowner: me\n' }),
    ).toMatchObject({ shown: 'x' });
  });

  it('are text: ${…} in them is not a reference', async () => {
    const files = { '../../variables.yaml': 'variables: { A: "${A}" }\n' };
    expect(await shown('${A}', files)).toMatchObject({ shown: '${A}' });
  });

  it.each([
    ['a list', 'variables:\n  A: [x]\n', '2:6: variables.A: a variable must be a scalar'],
    ['nothing', 'variables:\n  A:\n', '2:5: variables.A: a variable must be a scalar'],
    [
      'a bad name',
      'services:\n  api:\n    a-b: x\n',
      '3:10: services.api.a-b: the name of a variable must be letters',
    ],
    ['a list for the section', 'variables: [ A ]\n', '1:12: variables: must be a map.'],
    ['a text for the service', 'services: { api: x }\n', '1:18: services.api: must be a map.'],
    ['a list for everything', '- A\n', '1:1: a file of variables must be a map.'],
    ['two documents', 'variables: {}\n---\nvariables: {}\n', 'a file of variables must be one document.'],
    ['a variable said twice', 'variables: { A: hunter2, A: hunter2 }\n', '1:26: the key A is a duplicate.'],
  ])('are refused with their place: %s', async (_, text, message) => {
    const failure = await failureOf({ ...show('x'), '../../variables.yaml': text });
    expect(failure.code).toBe('RENDER_FAILED');
    expect(failure.message).toContain(`variables.yaml:`);
    expect(failure.message).toContain(message);
    expect(failure.message).not.toContain('hunter2');
  });

  it("of a folder whose name only begins like the service's are not its own", async () => {
    const neighbour = `${FOLDER}-more/variables.yaml`;
    const files = {
      '../../variables.yaml': 'services: { api: { A: service } }\n',
      '../../services/api-more/variables.yaml': 'variables: { A: neighbour }\n',
    };
    const content = await contentOf(
      { ...show('${A}'), ...files },
      { variableFiles: ['tenants/acme/production/variables.yaml', neighbour] },
    );
    expect(documentsOf(content)).toMatchObject([{ shown: 'service' }]);
  });
});
