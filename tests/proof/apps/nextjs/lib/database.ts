import { Pool } from "pg";

export const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 5, connectionTimeoutMillis: 2000 });

// A connection that breaks while nobody uses it is replaced; without this the process would end.
pool.on("error", () => {});
