// Prisma without its native engines: what it needs then comes with its packages.
import { PrismaPg } from "@prisma/adapter-pg";

export default {
  schema: process.env.PROOF_SCHEMA,
  engine: "js",
  experimental: { adapter: true },
  adapter: async () => new PrismaPg({ connectionString: process.env.DATABASE_URL }),
};
