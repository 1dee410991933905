import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Coordinates, formatCoordinates } from '../../../engine/model/index.ts';
import { parseConfig } from '../../../engine/layout/configuration/parse.ts';
import { discover } from '../../../engine/layout/discover.ts';
import { compileLayout } from '../../../engine/layout/layout.ts';
import { propose } from '../../../engine/init/proposal/propose.ts';
import { isShapeName, SHAPES } from '../../../engine/init/proposal/shapes.ts';
import { layoutsPage } from '../../../scripts/layouts-page.ts';
import { memoryTree } from '../../helpers/trees/memory-tree.ts';
import { SHAPE_TREES } from '../../helpers/trees/shape-trees.ts';

const ENVIRONMENTS = ['production', 'staging'];
const names = (found: readonly Coordinates[]) => found.map(formatCoordinates);
const environments = (found: readonly Coordinates[]) =>
  names(found.filter(({ service }) => service === undefined));

describe('a shape', () => {
  it.each(SHAPE_TREES)('is proposed for its example: %s', async (name, _, tree) => {
    const { chosen, findings } = await propose(memoryTree(tree).view);
    expect(findings.filter(({ severity }) => severity === 'block')).toEqual([]);
    expect(chosen && { shape: chosen.shape, environments: environments(chosen.found) }).toEqual({
      shape: name,
      environments: ENVIRONMENTS,
    });
  });

  it.each(SHAPE_TREES)('is proposed for its example where it is asked for: %s', async (shape, _, tree) => {
    const { chosen } = await propose(memoryTree(tree).view, isShapeName(shape) ? { shape } : {});
    expect(chosen?.shape).toBe(shape);
  });

  it.each(SHAPE_TREES)(
    'finds in its short form what init finds in its example: %s',
    async (_, shape, tree) => {
      const { view } = memoryTree(tree);
      const { environment = [], service = [] } = shape.layout;
      const { chosen } = await propose(view);
      const text = JSON.stringify({
        version: 1,
        layout: { environment, service, ignore: { environment: ['base'], service: ['kustomization'] } },
      });
      const found = names(await discover(view, compileLayout(parseConfig(text, 'short form'))));
      expect(found).toEqual(expect.arrayContaining(ENVIRONMENTS));
      expect(found).toEqual(names(chosen?.found ?? []));
    },
  );

  it('stands in docs/layouts.md as in the table', () => {
    const text = readFileSync(resolve(import.meta.dirname, '../../../docs/layouts.md'), 'utf8');
    expect(text).toBe(layoutsPage(text));
    expect(new Set(SHAPES.map(({ name }) => name)).size).toBe(SHAPES.length);
  });
});
