import { Pool } from "pg";

export const pool = new Pool({ connectionString: process.env.DATABASE_URL });

// A connection that is cut while nobody uses it is replaced at the next query.
pool.on("error", () => {});
