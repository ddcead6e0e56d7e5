// Stands in for Prisma's native query engine: clients that name no adapter get the one for PostgreSQL.
const { createRequire } = require("node:module");
const path = require("node:path");
const { PrismaPg } = require("@prisma/adapter-pg");

const client = createRequire(path.join(process.cwd(), "package.json"))("@prisma/client");

client.PrismaClient = class extends client.PrismaClient {
  constructor({ datasourceUrl, datasources, ...options } = {}) {
    const connectionString = datasourceUrl ?? datasources?.db?.url ?? process.env.DATABASE_URL;
    super({ adapter: new PrismaPg({ connectionString }), ...options });
  }
};
