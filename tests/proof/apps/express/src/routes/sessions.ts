import { Router } from "express";

import { pool } from "../db/pool.js";

export const sessions = Router();

sessions.post("/", async (req, res) => {
  const { email, password } = req.body as { email: string; password: string };
  const { rows } = await pool.query("SELECT sign_in($1, $2) AS token", [email, password]);
  res.status(201).json(rows[0]);
});
