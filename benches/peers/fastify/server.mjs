// fastify with jose: lists the todos from memory.
//
//     node server.mjs PORT
//
// Reads INSTANCE, TENANT and CLIENT_ID from the environment.

import Fastify from 'fastify'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'

const { INSTANCE, TENANT, CLIENT_ID } = process.env
const authority = `${INSTANCE}/${TENANT}/v2.0`
const response = await fetch(`${authority}/.well-known/openid-configuration`)
const { issuer, jwks_uri } = await response.json()
const keys = createRemoteJWKSet(new URL(jwks_uri))
const checks = { issuer, audience: CLIENT_ID, algorithms: ['RS256'], clockTolerance: 60 }

const todos = ['Walk the dog', 'Buy milk', 'Water the plants'].map((name, index) => ({
  id: index + 1,
  name,
  owner_id: '0a000000-0000-4000-8000-000000000002',
  is_complete: false,
}))

// fastify compiles a serializer from the schema.
const page = {
  type: 'object',
  properties: {
    items: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          id: { type: 'integer' },
          name: { type: 'string' },
          owner_id: { type: 'string' },
          is_complete: { type: 'boolean' },
        },
      },
    },
  },
}

async function authenticate(request, reply) {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ')
  if (scheme !== 'Bearer' || !token) return reply.code(401).send()
  try {
    const { payload } = await jwtVerify(token, keys, checks)
    if (!payload.scp?.split(' ').includes('access_as_user')) return reply.code(403).send()
  } catch (error) {
    if (error instanceof errors.JOSEError) return reply.code(401).send()
    throw error
  }
}

const app = Fastify()
app.get(
  '/todoitems',
  { onRequest: authenticate, schema: { response: { 200: page } } },
  async (request, reply) => {
    // With a serializer of its own, the response has no charset, like those of the other servers.
    reply.type('application/json').serializer(reply.getSerializationFunction(200))
    return { items: todos }
  },
)
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })
