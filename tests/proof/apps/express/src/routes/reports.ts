import { Router } from "express";

import { pool } from "../db/pool.js";

export const reports = Router();

/** Takes its time. */
reports.get("/monthly", async (_req, res) => {
  const { rows } = await pool.query("SELECT count(*)::int AS orders FROM orders, pg_sleep(3)");
  res.json(rows[0]);
});
