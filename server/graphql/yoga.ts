/** The server library, and how much of a document it takes. Loaded with the first call: to load it takes longer than to start the server. */
import { costLimitPlugin } from '@escape.tech/graphql-armor-cost-limit';
import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthPlugin } from '@escape.tech/graphql-armor-max-depth';
import { maxTokensPlugin } from '@escape.tech/graphql-armor-max-tokens';
import type { FieldNode, GraphQLError, ValidationContext } from 'graphql';
import { createGraphQLError, createSchema, createYoga, type Plugin } from 'graphql-yoga';
import { isFailure } from '../../engine/index.ts';
import { problemOf } from '../problem.ts';
import type { Call, Context } from './call.ts';
import { RESOLVERS } from './resolvers.ts';
import { hintOf } from './results.ts';
import { SCHEMA } from './schema.ts';

/** The documents of docs/faces.md take a tenth of each. Of introspection graphql itself bounds the depth. */
const LIMITS = { tokens: 1000, depth: 10, aliases: 15, cost: 20_000 };

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

export interface GraphqlSettings {
  readonly introspection: boolean;
  /** Called with what nobody foresaw. */
  readonly onInternal: (error: unknown) => void;
}

/** Gives what answers a body. */
export function createGraphql({ introspection, onInternal }: GraphqlSettings) {
  const yoga = createYoga<Context>({
    schema: createSchema<Context>({ typeDefs: SCHEMA, resolvers: RESOLVERS }),
    graphqlEndpoint: '/graphql',
    graphiql: false,
    landingPage: false,
    batching: false,
    cors: false,
    logging: false,
    maskedErrors: {
      maskError: (error) => {
        const masked = maskedOf(error, onInternal);
        return introspection ? masked : withoutNames(masked);
      },
    },
    plugins: [
      maxTokensPlugin({ n: LIMITS.tokens }),
      maxDepthPlugin({ n: LIMITS.depth }),
      maxAliasesPlugin({ n: LIMITS.aliases }),
      costLimitPlugin({ maxCost: LIMITS.cost }),
      ...(introspection ? [] : [WITHOUT_INTROSPECTION]),
    ],
  });
  return async (body: unknown, call: Call): Promise<Answer> => {
    const response = await yoga.fetch(
      'http://localhost/graphql',
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: call.request.headers.accept ?? 'application/json',
        },
        body: JSON.stringify(body ?? null),
      },
      { call },
    );
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? 'application/json; charset=utf-8',
      text: await response.text(),
    };
  };
}

/** graphql's own rule asks for the types of one copy of the library; names are enough. What is misspelt is not told what there is. */
const WITHOUT_INTROSPECTION: Plugin = {
  onValidate: ({ addValidationRule }) => {
    addValidationRule((context: ValidationContext) => ({
      Field: (node: FieldNode) => {
        if (node.name.value === '__schema' || node.name.value === '__type')
          context.reportError(createGraphQLError('Introspection is switched off here.', { nodes: [node] }));
      },
    }));
    return ({ result, setResult }) => {
      if (Array.isArray(result)) setResult(result.map(withoutNames));
    };
  },
};

/** `Did you mean …?` names parts of the schema. */
function withoutNames(error: unknown): Error {
  if (!isGraphql(error)) return error instanceof Error ? error : new Error('failed');
  const { message, nodes, path, extensions } = error;
  const said = message.replace(/ Did you mean .*/s, '');
  if (said === message) return error;
  return createGraphQLError(said, { ...(nodes && { nodes }), ...(path && { path }), extensions });
}

/** What a document does wrong is said as it is, a failure of the engine by its code, and of all else nothing. */
function maskedOf(error: unknown, onInternal: (error: unknown) => void): Error {
  if (isOfDocument(error)) return error;
  const { originalError: cause = error, nodes, path } = isGraphql(error) ? error : {};
  const { code, detail, hint } = problemOf(cause);
  if (!isFailure(cause) || code === 'INTERNAL') onInternal(cause);
  return createGraphQLError(detail, {
    ...(nodes && { nodes }),
    ...(path && { path }),
    extensions: { code, hint: hintOf(code, hint) },
  });
}

/** By name: there may be several copies of the library. */
const isGraphql = (error: unknown): error is GraphQLError =>
  error instanceof Error && error.name === 'GraphQLError';

const isOfDocument = (error: unknown): error is GraphQLError =>
  isGraphql(error) && (error.originalError === undefined || isOfDocument(error.originalError));
