/** Scalars of the schema. */
import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';

const ID = /^(?:dep|rbk)-[0-9A-HJKMNP-TV-Z]{26}$/;

const uuidOf = (given: unknown): string => {
  const text = typeof given === 'string' ? given.trim() : '';
  const id = `${text.slice(0, 4).toLowerCase()}${text.slice(4).toUpperCase()}`;
  if (ID.test(id)) return id;
  throw new GraphQLError('A UUID is dep- or rbk-, and 26 characters.', {
    extensions: { code: 'BAD_USER_INPUT' },
  });
};

export const UUID = new GraphQLScalarType<string, unknown>({
  name: 'UUID',
  serialize: (value) => value,
  parseValue: uuidOf,
  parseLiteral: (node) => uuidOf(node.kind === Kind.STRING ? node.value : null),
});

/** It is only given. */
export const DateTime = new GraphQLScalarType<string, unknown>({
  name: 'DateTime',
  serialize: (value) => value,
});
