"""The command line: countertop …"""
